import type { ClickHouseClient } from '@clickhouse/client';
import { createClickHouse } from '#shared/clickhouse/client.ts';
import { settingsOf } from '#shared/service/start-up.ts';
import { runnersOf, taskProcess } from '#shared/task/task-process.ts';
import { EventLog } from './adapters/event-log.ts';
import { createBackfill } from './backfill.ts';
import { options } from './config.ts';
import { createProjector } from './projector.ts';

const settings = settingsOf('profile-projector: what do we know about them?', options);
const { generation, clickhouseDatabase, prefix } = settings;
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
await process.run(
  runnersOf([createProjector({ generation }), createBackfill({ generation, history, onTrouble })], host),
);
