import { hashingWith } from '#shared/identity/hashing.ts';
import { historyReading } from '#shared/service/history-reading.ts';
import { readSecret, settingsOf } from '#shared/service/start-up.ts';
import { OtherGenerations } from '#shared/task/other-generations.ts';
import type { TaskHost } from '#shared/task/runner.ts';
import { runnersOf, taskProcess } from '#shared/task/task-process.ts';
import { createBackfill, noHistory } from './backfill.ts';
import { options } from './config.ts';
import { createProjector } from './projector.ts';

const settings = settingsOf('profile-projector: what do we know about them?', options);
const { anonymousRetentionDays, quiet, replayHistory } = settings;
const process = await taskProcess('profile-projector', settings);
const { host } = process;
const DAY_MS = 86_400_000;
const homeOf = hashingWith(readSecret(settings)).profileIdOf;
const retention = anonymousRetentionDays > 0 ? { ms: anonymousRetentionDays * DAY_MS, homeOf } : undefined;
const reading = historyReading(settings, 'profile-projector', host);
const runners = (around: TaskHost, from: string, quiet: boolean) => {
  const { generation } = around;
  const projector = createProjector({ generation, homeOf, retention, quiet, rebuilds: from === 'clickhouse' });
  // What Kafka still has is all that there is to know.
  const history = from === 'kafka' ? noHistory : reading.history;
  return runnersOf([projector, createBackfill({ generation, homeOf, ...reading, history })], around);
};
const others = new OtherGenerations(host, ({ history }, around) => runners(around, history, true));
await process.run([...runners(host, replayHistory, quiet), ...(quiet ? [] : [others])]);
