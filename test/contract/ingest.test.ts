import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EventStitched, Profile } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import { migrate } from '../../deploy/clickhouse/migrate.ts';
import { nothing } from '../../services/profile-projector/core/profile.ts';
import { addresses } from '../support/addresses.ts';
import { anEvent } from '../support/counting-task.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
import { produce } from '../support/produce.ts';
import { until } from '../support/until.ts';
import { openWarehouse, type Warehouse } from '../support/warehouse.ts';

const P = '11111111-1111-5111-8111-111111111111';
const Q = '22222222-2222-5222-8222-222222222222';
const hash = (n: number): string => String(n).padStart(32, '0');

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

const stitched = (id: string, payload: string, n = 1, profile = P): EventStitched => ({
  ...anEvent(id),
  identifiers: [{ type: 'user_id', value: `u${n}`, hash: hash(n) }],
  payload,
  profile_id: profile,
  mapping_version: 0,
});

const profile = (changes: Partial<Profile>): Profile => ({
  ...nothing,
  profile_id: P,
  kind: 'person',
  version: 1,
  identifiers: [{ type: 'user_id', value: 'u1', hash: hash(1) }],
  traits: [{ name: 'plan', value: '"gold"', timestamp: 0, message_id: 'm', source: 's', sensitivity: 'personal' }],
  last_touch: {
    timestamp: 0,
    message_id: 'm',
    source: 's',
    referrer: 'https://search.example/',
    utm_source: 'search',
    utm_medium: 'organic',
    utm_campaign: null,
    utm_term: null,
    utm_content: null,
    utm_id: null,
  },
  products: [{ product: 'p', currency: 'EUR', name: 'Cup', quantity: '1', revenue: '2.5' }],
  groups: [{ group: 'acme', traits: '{}', timestamp: 0, source: 's' }],
  interactions: [{ id: 'i', state: 'open', channel: 'phone', direction: null, agent: null, timestamp: 0, source: 's' }],
  computed: [],
  audiences: [],
  consents: [],
  events: 1,
  event_counts: [{ event: 'Tested', count: 1 }],
  revenue: [{ currency: 'USD', amount: '2500315.63' }],
  sources: ['test'],
  first_seen: 854_712_000_000,
  last_seen: 1_700_000_000_000,
  flags: [],
  changed: [],
  causes: [],
  why: ['event'],
  updated_at: 1_700_000_000_000,
  gone: false,
  into: null,
  definitions: [],
  generation: 1,
  edition: 1,
  ...changes,
});

const count = async (view: string, where = '1'): Promise<number> =>
  Number((await warehouse.rows<{ n: string }>(`SELECT count() AS n FROM {db}.${view} WHERE ${where}`))[0]?.n);

test('a document that JSON columns cannot hold stops nothing, and its text is kept', async () => {
  const payloads = [
    '{"properties":{"c.d":1,"c":{"d":5}}}',
    '{"properties":{"a":1,"a":2,"b":3},"context":{"app":{"name":"x"},"app.name":"y","locale":"de"}}',
    '{"properties":{"n":1e400}}',
    '{"properties":{"n":123456789012345678901234567890}}',
    '{"properties":{"s":"\\ud800"}}',
    '{"properties":"not an object"}',
    '{"properties":{"a":null,"o":{},"price":19.90}}',
    '{}',
    'not even JSON',
  ];
  await produce(
    installation,
    topics.eventsStitched,
    payloads.map((payload, i) => ({ key: P, value: stitched(`poison-${i}`, payload) })),
  );
  await produce(installation, topics.eventsStitched, [
    { key: P, value: stitched('after', '{"properties":{"price":19.9}}') },
  ]);
  await until('the event after them is there', async () => (await count('events', "message_id = 'after'")) === 1);
  expect(await count('events', "message_id LIKE 'poison-%'")).toBe(payloads.length);
  const [row] = await warehouse.rows<{ payload: string }>(
    `SELECT payload FROM {db}.events WHERE message_id = 'poison-6'`,
  );
  expect(row?.payload).toBe(payloads[6]);
});

test('of two properties of one name the first is kept, and neither takes the others away', async () => {
  const payload = '{"properties":{"a":1,"a":2,"b":3},"context":{"app":{"name":"x"},"app.name":"y","locale":"de"}}';
  const told = { properties: { a: 1, b: 3 }, context: { app: { name: 'x' }, locale: 'de' } };
  // What ClickHouse had begun to read while it was migrated still goes by the tables before.
  let sent = 0;
  await until('an event is read as it is to be', async () => {
    const id = `twice-${sent++}`;
    await produce(installation, topics.eventsStitched, [{ key: P, value: stitched(id, payload) }]);
    await until(`${id} is there`, async () => (await count('events', `message_id = '${id}'`)) === 1);
    const [row] = await warehouse.rows(`SELECT properties, context FROM {db}.events WHERE message_id = '${id}'`);
    return isDeepStrictEqual(row, told);
  });
});

test('what is not the record that its topic promises is kept apart and stops nothing', async () => {
  await produce(installation, topics.eventsStitched, [
    { key: P, value: Buffer.from('not avro at all') },
    { key: P, value: stitched('after-garbage', '{}') },
  ]);
  await until('the event after it is there', async () => (await count('events', "message_id = 'after-garbage'")) === 1);
  await until(
    'the garbage is on record',
    async () => (await count('ingest_errors', "topic LIKE '%events.stitched'")) === 1,
  );
});

test('an event delivered twice is one row', async () => {
  for (let i = 0; i < 2; i++)
    await produce(installation, topics.eventsStitched, [{ key: P, value: stitched('twice', '{}') }]);
  await produce(installation, topics.eventsStitched, [{ key: P, value: stitched('twice-done', '{}') }]);
  await until(
    'both were read',
    async () =>
      (await count('events_log', "message_id LIKE 'twice%'")) >= 2 &&
      (await count('events', "message_id = 'twice-done'")) === 1,
  );
  expect(await count('events', "message_id = 'twice'")).toBe(1);
});

test('old events follow their identifier to the profile of now', async () => {
  await produce(installation, topics.eventsStitched, [{ key: P, value: stitched('moved', '{}', 7) }]);
  const mapping = (profile_id: string, version: number) => ({
    hash: hash(7),
    profile_id,
    version,
    decided_at: 0,
    generation: 1,
    edition: 1,
  });
  await produce(installation, topics.identityMappings, [
    { key: hash(7), value: mapping(Q, 12) },
    { key: hash(7), value: mapping(P, 5) },
  ]);
  await until('the mapping is there', async () => (await count('identity_mappings')) >= 1);
  await until(
    'the event is there',
    async () => (await count('events', `message_id = 'moved' AND profile_id = '${Q}'`)) === 1,
  );
});

test('only who asks whose an event is pays for looking that up, and reads the events once', async () => {
  const readBy = async (asked: string): Promise<string[]> => {
    const plan = await warehouse.rows(`SELECT * FROM (EXPLAIN SELECT ${asked} FROM {db}.events GROUP BY ALL)`);
    return [...JSON.stringify(plan).matchAll(/ReadFromMergeTree \(\w+\.(\w+)\)/g)].map(([, table]) => table as string);
  };
  expect(await readBy('event, count()')).toEqual(['events_log']);
  expect((await readBy('source, uniq(profile_id)')).sort()).toEqual(['events_log', 'identity_mappings']);
});

test('a profile is its newest version, once; one that is gone is not shown, and its history is', async () => {
  await produce(installation, topics.profiles, [
    { key: P, value: profile({ version: 1 }) },
    { key: P, value: profile({ version: 2, events: 2 }) },
    { key: Q, value: profile({ profile_id: Q, version: 1 }) },
    { key: Q, value: profile({ profile_id: Q, version: 2, gone: true, into: P, events: 0 }) },
    { key: Q, value: null },
  ]);
  await until('all versions are there', async () => (await count('profile_history')) === 4);
  await expect
    .poll(() => warehouse.rows('SELECT * FROM {db}.profiles'))
    .toMatchObject([
      {
        profile_id: P,
        version: 2,
        traits: { plan: 'gold' },
        computed: { events: 2 },
        first_seen: '1997-01-31 12:00:00.000',
      },
    ]);
  const [sum] = await warehouse.rows<{ s: string }>("SELECT toString(sum(revenue['USD'])) AS s FROM {db}.profiles");
  expect(sum?.s).toBe('2500315.63');
});

test('migrations can be run again, and refuse a file that was changed after it was applied', async () => {
  expect(await migrate(warehouse.client, warehouse.surroundings)).toEqual([]);
  await warehouse.client.command({
    query: `ALTER TABLE ${warehouse.database}.migrations UPDATE checksum = 'of other text' WHERE name = '0001_events.sql' SETTINGS mutations_sync = 1`,
  });
  await expect(migrate(warehouse.client, warehouse.surroundings)).rejects.toThrow(
    /0001_events.sql was applied and then changed/,
  );
});
