import type { ClickHouseClient } from '@clickhouse/client';
import { createClickHouse } from '#shared/clickhouse/client.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { readSecret, settingsOf } from '#shared/service/start-up.ts';
import { runnersOf, taskProcess } from '#shared/task/task-process.ts';
import { EventLog } from './adapters/event-log.ts';
import { createBackfill } from './backfill.ts';
import { options } from './config.ts';
import { createProjector } from './projector.ts';

const settings = settingsOf('profile-projector: what do we know about them?', options);
const { generation, clickhouseDatabase, prefix, anonymousRetentionDays } = settings;
const process = await taskProcess('profile-projector', settings);
const { host, kafka } = process;
let clickhouse: ClickHouseClient | undefined;
const history = new EventLog(
  kafka,
  () => {
    clickhouse ??= createClickHouse(settings, 'tributary-profile-projector');
    return clickhouse;
  },
  clickhouseDatabase,
  prefix,
);
const onTrouble = (error: unknown): void =>
  host.log.warn({ err: error }, 'the event log cannot be read for computed traits; it is tried again');
const DAY_MS = 86_400_000;
const homeOf = hashingWith(readSecret(settings)).profileIdOf;
const retention = anonymousRetentionDays > 0 ? { ms: anonymousRetentionDays * DAY_MS, homeOf } : undefined;
const projector = createProjector({ generation, retention });
await process.run(runnersOf([projector, createBackfill({ generation, history, onTrouble })], host));
