import { afterAll, beforeAll, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { migrate } from '../../../deploy/clickhouse/migrate.ts';
import { addresses } from '../../support/addresses.ts';
import { anEvent } from '../../support/counting-task.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { produce } from '../../support/produce.ts';
import { until } from '../../support/until.ts';
import { openWarehouse, type Warehouse } from '../../support/warehouse.ts';

const PROFILE = '11111111-1111-5111-8111-111111111111';
const routing = { type: 'user_id', value: 'u1', hash: '1'.padStart(32, '0') };

let installation: Installation;
let warehouse: Warehouse;
beforeAll(async () => {
  installation = await createInstallation(addresses());
  warehouse = await openWarehouse(installation);
});
afterAll(async () => {
  await warehouse.close();
  await installation.close();
});

/** Properties as JSON text, by message id. */
const written: Readonly<Record<string, string>> = {
  survey: '{"comment":"Die Lieferung war zu spät, but the LAMP is \\"nice\\"","score":7}',
  support: '{"subject":"Where is my order?","body":"It was to be here on Monday.","body_html":"<p>hidden</p>"}',
  'no text': '{"message":{"text":"nested"},"body":null,"name":"lamp"}',
  empty: '{"text":""}',
  numbers: '{"text":42,"comment":4.2}',
  broken: '{"text":"\\ud800 broken"}',
  list: '["text","lamp"]',
};
const LARGE = 40_000;

const found = async (condition: string, settings = ''): Promise<unknown[]> =>
  (
    await warehouse.rows<{ message_id: string }>(
      `SELECT message_id FROM {db}.event_texts WHERE ${condition} ORDER BY message_id ${settings}`,
    )
  ).map(({ message_id }) => message_id);

test('what people wrote is found by its words, whatever their case, by the index, and goes with its event', async () => {
  const events = Object.entries(written).map(([id, properties]) => ({
    ...anEvent(id),
    identifiers: [routing],
    payload: `{"properties":${properties}}`,
    profile_id: PROFILE,
    mapping_version: 0,
  }));
  await produce(installation, topics.eventsStitched, [
    ...events.map((value) => ({ key: PROFILE, value })),
    { key: PROFILE, value: { ...events[0], message_id: 'a page', type: 'page' } as (typeof events)[number] },
  ]);
  await until('all are there', async () => {
    const [row] = await warehouse.rows<{ n: string }>('SELECT count() AS n FROM {db}.events');
    return Number(row?.n) === events.length + 1;
  });
  // Enough that reading all and reading by the index are two things.
  await warehouse.client.command({
    query: `INSERT INTO ${warehouse.database}.events_log (received_at, timestamp, message_id, type, source, routing, payload)
      SELECT toDateTime64('2026-01-01', 3, 'UTC'), now64(3), concat('m', toString(number)), 'track', 's', leftPad(toString(number), 32, '0'),
        concat('{"properties":{"comment":"number ', toString(number), ' of many"}}')
      FROM numbers(${LARGE})`,
  });

  expect(await found(`hasAllTokens(words, lowerUTF8('lamp SPÄT'))`)).toEqual(['survey']);
  expect(await found(`hasAnyTokens(words, 'monday nobody')`)).toEqual(['support']);
  expect(await found(`words LIKE '%liefer%'`)).toEqual(['survey']);
  expect(await found(`hasAnyTokens(words, 'hidden nested')`)).toEqual([]);
  expect(await found(`text != '' AND source = 'test'`)).toEqual(['support', 'survey']);
  expect(await warehouse.rows(`SELECT text, words FROM {db}.event_texts WHERE message_id = 'support'`)).toEqual([
    {
      text: 'Where is my order?\nIt was to be here on Monday.',
      words: 'where is my order?\nit was to be here on monday.',
    },
  ]);

  const one = `hasAllTokens(words, 'number 777')`;
  expect(await found(one)).toEqual(['m777']);
  expect(await found(one, 'SETTINGS use_skip_indexes = 0')).toEqual(['m777']);
  const plan = (await warehouse.rows(`SELECT * FROM (EXPLAIN indexes = 1 SELECT * FROM {db}.event_texts WHERE ${one})`))
    .map((row) => String(Object.values(row)[0]))
    .join('\n');
  const [, kept, of] = /Name: text_words[\s\S]*?Granules: (\d+)\/(\d+)/.exec(plan)?.map(Number) ?? [];
  expect(kept, plan).toBeLessThan((of as number) / 2);

  await warehouse.client.command({
    query: `ALTER TABLE ${warehouse.database}.events_log DELETE WHERE message_id IN ('m777', 'survey')`,
    clickhouse_settings: { mutations_sync: '2' },
  });
  expect(await found(one)).toEqual([]);
  expect(await found(`hasAnyTokens(words, 'lamp') OR words LIKE '%lieferung%'`)).toEqual([]);
});

test('what was there before the column came is found as well', async () => {
  const { client, database } = warehouse;
  for (const statement of [
    'DROP VIEW {db}.event_texts',
    'ALTER TABLE {db}.events_log DROP INDEX text_words',
    'ALTER TABLE {db}.events_log DROP COLUMN text',
  ])
    await client.command({
      query: statement.replace('{db}', database),
      clickhouse_settings: { mutations_sync: '2', alter_sync: '2' },
    });
  await client.command({
    query: `DELETE FROM ${database}.migrations WHERE name = '0008_texts.sql'`,
    clickhouse_settings: { lightweight_deletes_sync: '2' },
  });
  expect(await migrate(client, warehouse.surroundings)).toEqual(['0008_texts.sql']);
  expect(await found(`hasAllTokens(words, 'number 778')`)).toEqual(['m778']);
  expect(await found(`hasAllTokens(words, 'monday')`)).toEqual(['support']);
});
