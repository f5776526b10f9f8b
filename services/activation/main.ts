import { setTimeout as sleep } from 'node:timers/promises';
import type { Topic } from '#schemas/topics.ts';
import { planOf, provisionTopics } from '#shared/kafka/provision-topics.ts';
import { settingsOf } from '#shared/service/start-up.ts';
import { TaskRunner } from '#shared/task/runner.ts';
import { taskProcess } from '#shared/task/task-process.ts';
import { meter } from './adapters/metered-destination.ts';
import { postWebhook } from './adapters/post-webhook.ts';
import { profileConsents } from './adapters/profile-consents.ts';
import { segmentDestinations } from './adapters/segment-destination.ts';
import { options } from './config.ts';
import { plannerTask } from './planner.ts';
import { senderTask } from './sender.ts';
import { DestinationSupervisor } from './supervise-destinations.ts';
import { WebhookSupervisor } from './supervise-webhooks.ts';
import { webhookTask } from './webhook.ts';

const settings = settingsOf('activation: who should hear of it?', options);
const { generation, prefix, partitions, replication } = settings;
const process = await taskProcess('activation', settings);
const { host } = process;
const metered = meter(host.metrics);
const send = metered(segmentDestinations(settings.attemptTimeoutMs));
const post = metered(postWebhook(settings.attemptTimeoutMs, settings.webhookPrivateAddresses));
const consentsOf = profileConsents(process.kafka, host.codecs, prefix, host.log);
const admin = process.kafka.admin();
await admin.connect();

const provision = async (topics: readonly Topic[]): Promise<void> => {
  await provisionTopics(
    admin,
    topics.map((topic) => planOf(topic, prefix, partitions, replication)),
  );
};
const delivering = {
  consentsOf,
  definitions: host.definitions,
  now: Date.now,
  random: Math.random,
  sleep: (milliseconds: number, stop: AbortSignal) => sleep(milliseconds, undefined, { signal: stop }),
};

await process.run([
  new DestinationSupervisor({
    prefix,
    log: host.log,
    definitions: host.definitions,
    onDefinitions: process.onDefinitions,
    listTopics: () => admin.listTopics(),
    provision,
    planner: (destinations) => new TaskRunner(plannerTask(destinations, generation), host),
    sender: (destination, signal) =>
      new TaskRunner(senderTask(destination, generation, { ...delivering, send, signal }), host),
  }),
  new WebhookSupervisor({
    log: host.log,
    definitions: host.definitions,
    onDefinitions: process.onDefinitions,
    provision,
    webhook: (webhook, signal, unwanted) =>
      new TaskRunner(webhookTask(webhook, generation, { ...delivering, send: post, signal, unwanted }), host),
  }),
]);
