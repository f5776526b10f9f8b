import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { text, type Values } from '#shared/service/options.ts';
import type { platformOptions } from '#shared/service/platform-options.ts';

/** Where ClickHouse is. */
export const clickhouseOptions = {
  clickhouseUrl: text('CLICKHOUSE_URL', 'ClickHouse’s HTTP interface', 'http://127.0.0.1:8123'),
  clickhouseUser: text('CLICKHOUSE_USER', 'ClickHouse user', 'default'),
  clickhousePasswordFile: text(
    'CLICKHOUSE_PASSWORD_FILE',
    'File with its password; DATA/clickhouse-password when empty',
    '',
  ),
  clickhouseDatabase: text('CLICKHOUSE_DATABASE', 'Database of this installation', 'tributary'),
} as const;

/** For what makes tables and views. */
export const clusterOption = {
  clickhouseCluster: text('CLICKHOUSE_CLUSTER', 'Cluster whose servers hold the tables; empty on a single server', ''),
} as const;

type Settings = Values<typeof clickhouseOptions & Pick<typeof platformOptions, 'dataDirectory'>>;

/** @param isBulk much is read, by who has more than enough to do: compressing and expanding it would take longer than sending it */
export function createClickHouse(settings: Settings, application: string, isBulk = false): ClickHouseClient {
  const file = settings.clickhousePasswordFile || join(settings.dataDirectory, 'clickhouse-password');
  return createClient({
    url: settings.clickhouseUrl,
    username: settings.clickhouseUser,
    password: readFileSync(file, 'utf8').trim(),
    application,
    request_timeout: 60_000,
    compression: { response: !isBulk },
    // It throws what goes wrong; telling it a second time, and not as JSON, is not its business.
    log: { level: ClickHouseLogLevel.OFF },
  });
}
