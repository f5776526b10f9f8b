import { readdirSync, readFileSync } from 'node:fs';
import type { ClickHouseClient } from '@clickhouse/client';
import { filledIn, type Migration, migrationOf, type Surroundings, toApply } from './migrations.ts';

const directory = new URL('./', import.meta.url);

export const readMigrations = (around: Surroundings): Migration[] =>
  readdirSync(directory)
    .filter((file) => /^\d{4}_\w+\.sql$/.test(file))
    .sort()
    .map((file) => migrationOf(file, readFileSync(new URL(file, directory), 'utf8'), around));

/** What must be there before the first file: the database, and the table of what was applied. */
export const foundation = (around: Surroundings): string[] =>
  [
    'CREATE DATABASE IF NOT EXISTS {database} {on_cluster} ENGINE = Atomic',
    `CREATE TABLE IF NOT EXISTS {database}.migrations {on_cluster} (name String, checksum String, statement UInt32, at DateTime DEFAULT now()) ENGINE = ${around.cluster ? 'ReplicatedMergeTree' : 'MergeTree'} ORDER BY (name, statement)`,
  ].map((statement) => filledIn(statement, around));

/** Brings the database to today's tables. Can be run again at any time. @returns the names of what it applied */
export async function migrate(client: ClickHouseClient, around: Surroundings): Promise<string[]> {
  const { database } = around;
  for (const query of foundation(around)) await client.command({ query });
  const result = await client.query({
    query: `SELECT name, checksum, max(statement) AS done FROM ${database}.migrations GROUP BY name, checksum`,
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ name: string; checksum: string; done: number }>();
  const migrations = readMigrations(around);
  const complete = rows.filter(
    ({ name, done }) => done >= (migrations.find((migration) => migration.name === name)?.statements.length ?? 0),
  );
  const pending = toApply(migrations, new Map(complete.map(({ name, checksum }) => [name, checksum])));
  for (const { name, checksum, statements } of pending) {
    // A file that was interrupted goes on after its last statement, or with it once more: it may have died before it said so.
    const done = rows.find((row) => row.name === name && row.checksum === checksum)?.done ?? 0;
    for (let i = done; i < statements.length; i++) {
      await client.command({ query: statements[i] as string });
      await client.insert({
        table: `${database}.migrations`,
        values: [{ name, checksum, statement: i + 1 }],
        format: 'JSONEachRow',
      });
    }
  }
  return pending.map(({ name }) => name);
}

/**
 * Has the event log forget what was received so many days ago; 0: nothing. Can be run again at any time.
 * @returns whether that is new
 */
export async function keepEvents(client: ClickHouseClient, around: Surroundings, days: number): Promise<boolean> {
  const { database } = around;
  const result = await client.query({
    query: `SELECT engine_full FROM system.tables WHERE database = {database:String} AND name = 'events_log'`,
    query_params: { database },
    format: 'JSONEachRow',
  });
  const [table] = await result.json<{ engine_full: string }>();
  const now = Number(
    /TTL toDateTime\(received_at\) \+ toIntervalDay\((\d+)\)/.exec(table?.engine_full ?? '')?.[1] ?? 0,
  );
  if (now === days) return false;
  const change = days === 0 ? 'REMOVE TTL' : `MODIFY TTL toDateTime(received_at) + toIntervalDay(${days})`;
  await client.command({ query: filledIn(`ALTER TABLE {database}.events_log {on_cluster} ${change}`, around) });
  return true;
}
