import { hashingWith } from '#shared/identity/hashing.ts';
import { historyReading } from '#shared/service/history-reading.ts';
import { readSecret, settingsOf } from '#shared/service/start-up.ts';
import { runnersOf, taskProcess } from '#shared/task/task-process.ts';
import { createBackfill, noHistory } from './backfill.ts';
import { options } from './config.ts';
import { createProjector } from './projector.ts';

const settings = settingsOf('profile-projector: what do we know about them?', options);
const { generation, anonymousRetentionDays, quiet, replayHistory } = settings;
const process = await taskProcess('profile-projector', settings);
const { host } = process;
const DAY_MS = 86_400_000;
const homeOf = hashingWith(readSecret(settings)).profileIdOf;
const retention = anonymousRetentionDays > 0 ? { ms: anonymousRetentionDays * DAY_MS, homeOf } : undefined;
const rebuilds = replayHistory === 'clickhouse';
const projector = createProjector({ generation, homeOf, retention, quiet, rebuilds });
const reading = historyReading(settings, 'profile-projector', host);
// What Kafka still has is all that there is to know.
const history = replayHistory === 'kafka' ? noHistory : reading.history;
const backfill = createBackfill({ generation, homeOf, ...reading, history });
await process.run(runnersOf([projector, backfill], host));
