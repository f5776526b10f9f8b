import { readFileSync } from 'node:fs';
import { createClient } from '@clickhouse/client';
import type { Ground } from './ground.ts';
import { cpuOf } from './processes.ts';
import { quantile } from './quantile.ts';

/** A question put to the bare table and to the view, by turns. */
export interface ViewFigures {
  readonly what: string;
  /** Median milliseconds, and milliseconds of CPU, of an answer. */
  readonly table: Answer;
  readonly view: Answer;
}

interface Answer {
  readonly ms: number;
  readonly cpuMs: number;
}

const rowsSql = readFileSync(new URL('warehouse-rows.sql', import.meta.url), 'utf8');
const IN_AN_INSERT = 1_000_000;

const questions = [
  {
    what: 'events by day and name',
    sql: 'SELECT toDate(timestamp) AS day, event, count() AS events FROM {from} GROUP BY day, event',
  },
  {
    what: 'one person’s events',
    sql: `SELECT timestamp, type, event, payload FROM {from} WHERE routing IN (SELECT hash FROM identity_mappings ORDER BY hash LIMIT 2) ORDER BY timestamp`,
  },
  {
    what: 'revenue by source',
    sql: "SELECT source, sum(revenue) AS revenue FROM {from} WHERE event = 'Order Completed' GROUP BY source",
  },
  {
    what: 'people by source',
    sql: 'SELECT source, uniq(profile_id) AS people FROM {from} GROUP BY source',
  },
] as const;

/**
 * The view `events` beside its table `events_log`, where 8 of 100 identifiers belong to another profile now. All months but the
 * newest are one part, as they become by themselves.
 */
export async function benchViews(
  ground: Ground,
  clickhousePid: number,
  { rows, rounds }: { readonly rows: number; readonly rounds: number },
): Promise<ViewFigures[]> {
  await ground.attachClickHouse();
  const { database } = ground;
  const { clickhouseUrl: url, clickhousePassword: password } = ground.platform;
  const client = createClient({ url, username: 'default', password, database, request_timeout: 120_000 });
  for (let from = 0; from < rows; from += IN_AN_INSERT)
    await client.command({
      query: rowsSql,
      query_params: { from, rows: Math.min(IN_AN_INSERT, rows - from) },
      clickhouse_settings: { max_partitions_per_insert_block: '100', max_insert_threads: '2' },
    });
  await client.command({
    query: `INSERT INTO identity_mappings SELECT DISTINCT routing, generateUUIDv4(), 5, now(), 1, 1 FROM events_log WHERE cityHash64(routing) % 100 < 8`,
  });
  for (let month = 202_601; month < 202_611; month++)
    await client.command({ query: `OPTIMIZE TABLE events_log PARTITION ${month} FINAL` });

  const ask = async (query: string): Promise<Answer> => {
    const [began, cpu] = [performance.now(), cpuOf(clickhousePid)];
    await (await client.query({ query, format: 'JSONCompactEachRow' })).text();
    return { ms: performance.now() - began, cpuMs: (cpuOf(clickhousePid) - cpu) / 1_000 };
  };
  const figures: ViewFigures[] = [];
  for (const { what, sql } of questions) {
    const [fromTable, fromView] = ['events_log', 'events'].map((from) => sql.replace('{from}', from)) as [
      string,
      string,
    ];
    await ask(fromTable);
    await ask(fromView);
    const [table, view]: [Answer[], Answer[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      table.push(await ask(fromTable));
      view.push(await ask(fromView));
    }
    figures.push({ what, table: summary(table), view: summary(view) });
  }
  await client.command({ query: `DROP DATABASE ${database}` });
  await client.close();
  return figures;
}

const summary = (answers: readonly Answer[]): Answer => ({
  ms: quantile(
    answers.map(({ ms }) => ms).sort((a, b) => a - b),
    0.5,
  ),
  cpuMs: answers.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / answers.length,
});
