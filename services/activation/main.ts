import { setTimeout as sleep } from 'node:timers/promises';
import { planOf, provisionTopics } from '#shared/kafka/provision-topics.ts';
import { settingsOf } from '#shared/service/start-up.ts';
import { TaskRunner } from '#shared/task/runner.ts';
import { taskProcess } from '#shared/task/task-process.ts';
import { metered } from './adapters/metered-destination.ts';
import { profileConsents } from './adapters/profile-consents.ts';
import { segmentDestinations } from './adapters/segment-destination.ts';
import { options } from './config.ts';
import { plannerTask } from './planner.ts';
import { senderTask } from './sender.ts';
import { DestinationSupervisor } from './supervise-destinations.ts';

const settings = settingsOf('activation: who should hear of it?', options);
const { generation, prefix, partitions, replication } = settings;
const process = await taskProcess('activation', settings);
const { host } = process;
const send = metered(segmentDestinations(settings.attemptTimeoutMs), host.metrics);
const consentsOf = profileConsents(process.kafka, host.codecs, prefix, host.log);
const admin = process.kafka.admin();
await admin.connect();

await process.run([
  new DestinationSupervisor({
    prefix,
    log: host.log,
    definitions: host.definitions,
    onDefinitions: process.onDefinitions,
    listTopics: () => admin.listTopics(),
    provision: async (topics) => {
      await provisionTopics(
        admin,
        topics.map((topic) => planOf(topic, prefix, partitions, replication)),
      );
    },
    planner: (destinations) => new TaskRunner(plannerTask(destinations, generation), host),
    sender: (destination, signal) =>
      new TaskRunner(
        senderTask(destination, generation, {
          send,
          consentsOf,
          definitions: host.definitions,
          now: Date.now,
          random: Math.random,
          sleep: (milliseconds, stop) => sleep(milliseconds, undefined, { signal: stop }),
          signal,
        }),
        host,
      ),
  }),
]);
