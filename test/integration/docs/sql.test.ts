import { readFileSync } from 'node:fs';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EventStitched, IdentityChange, Profile } from '#schemas/generated/records.ts';
import { accountingTopic, topics } from '#schemas/topics.ts';
import { nothing } from '../../../services/profile-projector/core/profile.ts';
import { addresses } from '../../support/addresses.ts';
import { anEvent } from '../../support/counting-task.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { produce } from '../../support/produce.ts';
import { until } from '../../support/until.ts';
import { openWarehouse, type Warehouse } from '../../support/warehouse.ts';

const page = readFileSync(new URL('../../../docs/sql.md', import.meta.url), 'utf8');
const queries = [...page.matchAll(/^## (\d+)\. (.+)\n[\s\S]*?```sql\n([\s\S]*?)```/gm)].map(
  ([, number, question, sql]) => ({ number: Number(number), question: question as string, sql: sql as string }),
);

const ADA = '11111111-1111-5111-8111-111111111111';
const VISITOR = '22222222-2222-5222-8222-222222222222';
const HOUR = 3_600_000;
const now = Date.now();
const ada = { type: 'user_id', value: 'ada-1', hash: '1'.padStart(32, '0') };
const visitor = { type: 'anonymous_id', value: 'visit-1', hash: '2'.padStart(32, '0') };

const event = (
  n: number,
  name: string,
  routing: typeof ada,
  profile_id: string,
  payload = '{"properties":{}}',
): EventStitched => ({
  ...anEvent(`m${n}`),
  event: name,
  identifiers: [routing],
  timestamp: now - HOUR + n * 1_000,
  received_at: now - HOUR + n * 1_000 + 500,
  payload,
  profile_id,
  mapping_version: 0,
});

const profile: Profile = {
  ...nothing,
  profile_id: ADA,
  kind: 'person',
  version: 3,
  identifiers: [visitor, ada],
  traits: [
    { name: 'plan', value: '"gold"', timestamp: now, message_id: 'm4', source: 'test', sensitivity: 'personal' },
  ],
  computed: [],
  audiences: [],
  consents: [],
  events: 4,
  event_counts: [{ event: 'Order Completed', count: 2 }],
  revenue: [{ currency: 'USD', amount: '30.1' }],
  sources: ['test'],
  first_seen: now - HOUR,
  last_seen: now,
  flags: [],
  changed: ['events'],
  causes: ['m4'],
  why: ['event'],
  updated_at: now,
  gone: false,
  into: null,
  definitions: [],
  generation: 1,
};

const moved: IdentityChange = {
  kind: 'moved',
  profile_id: VISITOR,
  identifier: visitor,
  to_profile_id: ADA,
  version: 5,
  other: ada,
  reason: 'linked',
  claim_ids: ['c1'],
  decided_at: now,
  definitions: [],
  generation: 1,
};

let installation: Installation;
let warehouse: Warehouse;
let client: ClickHouseClient;
beforeAll(async () => {
  installation = await createInstallation(addresses());
  warehouse = await openWarehouse(installation);
  const { clickhouseUrl: url, clickhousePassword: password } = addresses();
  client = createClient({ url, username: 'default', password, database: warehouse.database });

  await produce(installation, topics.eventsStitched, [
    { key: VISITOR, value: event(1, 'Product Viewed', visitor, VISITOR) },
    { key: VISITOR, value: event(2, 'Product Added', visitor, VISITOR) },
    { key: ADA, value: event(3, 'Order Completed', ada, ADA, '{"properties":{"revenue":19.90}}') },
    { key: ADA, value: event(4, 'Order Completed', ada, ADA, '{"properties":{"revenue":"10.20"}}') },
    {
      key: VISITOR,
      value: event(5, 'Survey Answered', visitor, VISITOR, '{"properties":{"comment":"The DELIVERY was late!"}}'),
    },
  ]);
  await produce(installation, topics.identityMappings, [
    {
      key: visitor.hash,
      value: { hash: visitor.hash, profile_id: ADA, version: 5, decided_at: now, generation: 1 },
    },
  ]);
  await produce(installation, topics.identityChanges, [{ key: VISITOR, value: moved }]);
  await produce(installation, topics.profiles, [{ key: ADA, value: profile }]);
  await produce(installation, topics.deliveries, [
    {
      key: ADA,
      value: {
        idempotency_key: 'k1',
        destination: 'shop',
        action: 'send',
        trigger: 'event',
        profile_id: ADA,
        message_id: 'm3',
        outcome: 'delivered',
        reason: null,
        purposes: [],
        consents: [],
        fields: ['event'],
        attempts: 1,
        status: 200,
        answer: 'ok',
        requested_at: now - 100,
        finished_at: now,
        definitions: [],
        generation: 1,
      },
    },
  ]);
  await produce(installation, topics.eventsRejected, [
    {
      key: 'test',
      value: {
        stage: 'collector',
        reason: 'no_identifier',
        message: 'no usable identifier',
        source: 'test',
        message_id: 'm9',
        received_at: now,
        rejected_at: now,
        violations: ['$: no usable identifier'],
        payload: Buffer.from('{}'),
        topic: null,
        partition: null,
        offset: null,
        definitions: [],
        generation: 1,
      },
    },
  ]);
  await produce(installation, accountingTopic(1), [
    {
      key: 'identity-stitcher/resolver/events.collected/0',
      value: {
        service: 'identity-stitcher',
        task: 'resolver',
        topic: `${installation.prefix}events.collected`,
        partition: 0,
        next: 4,
        taken: 4,
        outcomes: { stitched: 4 },
        outputs: {},
        generation: 1,
      },
    },
  ]);
  const expected = {
    events: 5,
    identity_mappings: 1,
    identity_changes: 1,
    profiles: 1,
    deliveries: 1,
    rejected_events: 1,
    accounting: 1,
  };
  for (const [view, count] of Object.entries(expected))
    await until(`${view} are there`, async () => {
      const [row] = await warehouse.rows<{ n: string }>(`SELECT count() AS n FROM {db}.${view}`);
      return Number(row?.n) === count;
    });
});
afterAll(async () => {
  await client.close();
  await warehouse.close();
  await installation.close();
});

const ask = async (sql: string): Promise<Record<string, unknown>[]> =>
  (await client.query({ query: sql, format: 'JSONEachRow' })).json();

test('docs/sql.md has its queries, numbered', () => {
  expect(queries.map(({ number }) => number)).toEqual(queries.map((_, i) => i + 1));
  expect(queries.length).toBeGreaterThanOrEqual(10);
});

test.each(queries)('docs/sql.md $number: $question', async ({ sql }) => {
  expect(await ask(sql)).not.toEqual([]);
});

const answer = (part: string): Promise<Record<string, unknown>[]> => {
  const query = queries.find(({ question }) => question.includes(part));
  if (!query) throw new Error(`docs/sql.md has no question about ${part}`);
  return ask(query.sql);
};

test('the queries of docs/sql.md say what they promise', async () => {
  expect(await answer('story')).toMatchObject([
    { event: 'Product Viewed', was_someone_else: 1 },
    { event: 'Product Added', was_someone_else: 1 },
    { event: 'Order Completed', was_someone_else: 0 },
    { event: 'Order Completed', was_someone_else: 0 },
    { event: 'Survey Answered', was_someone_else: 1 },
  ]);
  expect(await answer('to the cent')).toMatchObject([{ revenue: 30.1, orders: 2, customers: 1 }]);
  expect(await answer('How far')).toMatchObject([{ reached: 3, people: 1 }]);
  expect(await answer('before we knew')).toHaveLength(3);
  expect(await answer('late deliveries')).toMatchObject([{ profile_id: ADA, text: 'The DELIVERY was late!' }]);
  expect(await answer('by a trait')).toMatchObject([{ plan: 'gold', people: 1 }]);
});
