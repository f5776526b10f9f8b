import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type {
  Accounting,
  Delivery,
  EventRejected,
  EventStitched,
  IdentityChange,
  Profile,
} from '#schemas/generated/records.ts';
import { accountingTopic, topics } from '#schemas/topics.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { validateDefinitions, type Wanted } from '#shared/definitions/validate.ts';
import { momentOf } from '#shared/expressions/moment.ts';
import { makeTraitView } from '../../../services/console/adapters/trait-view.ts';
import { traitViewOf } from '../../../services/console/core/trait-view.ts';
import { nothing } from '../../../services/profile-projector/core/profile.ts';
import { pythonPackages } from '../../contract/sdk/sdk-packages.ts';
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
const BOB = '33333333-3333-5333-8333-333333333333';
const ACME = '44444444-4444-5444-8444-444444444444';
const LONG = '123456789012345678901234567890';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const now = Date.now();
const ada = { type: 'user_id', value: 'ada-1', hash: '1'.padStart(32, '0') };
const visitor = { type: 'anonymous_id', value: 'visit-1', hash: '2'.padStart(32, '0') };
const bob = { type: 'anonymous_id', value: 'visit-2', hash: '3'.padStart(32, '0') };
const acme = { type: 'group_id', value: 'acme', hash: '4'.padStart(32, '0') };

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
  order_count: 2,
  groups: [{ group: 'acme', traits: '{"name":"Acme"}', timestamp: now, source: 'test' }],
  interactions: [
    {
      id: 'case-2',
      state: 'open',
      channel: 'phone',
      direction: null,
      agent: 'Ann',
      timestamp: now - 5 * HOUR,
      source: 'test',
    },
    {
      id: 'case-1',
      state: 'closed',
      channel: null,
      direction: null,
      agent: null,
      timestamp: now - 9 * HOUR,
      source: 'test',
    },
  ],
  products: [{ product: 'tea', currency: 'USD', name: '', quantity: '1.5', revenue: '15.15' }],
  session_count: 1,
  session_ms: 0,
  first_session_at: now - HOUR,
  last_session_at: now - HOUR,
  last_session_until: now - HOUR,
  last_session_events: 1,
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
  edition: 1,
};

/** A visitor who came by two campaigns, bought after each of them, and has not come again. */
const visits = [
  { at: now - 91 * DAY, campaign: 'spring', referrer: 'https://search.example/?q=tea' },
  { at: now - 85 * DAY, campaign: 'letter', referrer: 'https://mail.example/' },
];
const purchases = [
  { at: now - 90 * DAY, revenue: 50.5, products: [{ product_id: 'tea', price: 10.1, quantity: 5 }] },
  {
    at: now - 80 * DAY,
    revenue: 70,
    products: [
      { product_id: 'pot', price: 60, quantity: 1 },
      { product_id: 'tea', price: 10, quantity: 1 },
    ],
  },
];
const fromBob: EventStitched[] = [
  ...visits.map(({ at, campaign, referrer }) => ({
    at,
    event: 'Page Viewed',
    payload: { context: { campaign: { name: campaign }, page: { referrer } } },
  })),
  ...purchases.map(({ at, ...properties }) => ({ at, event: 'Order Completed', payload: { properties } })),
].map(({ at, event: name, payload }, i) => ({
  ...event(20 + i, name, bob, BOB, JSON.stringify(payload)),
  source: 'web',
  timestamp: at,
  received_at: at + 500,
}));
const bobsProfile: Profile = {
  ...profile,
  profile_id: BOB,
  version: 1,
  identifiers: [bob],
  traits: [
    { name: 'plan', value: '"free"', timestamp: now, message_id: 'm20', source: 'web', sensitivity: 'personal' },
    { name: 'age', value: '30', timestamp: now, message_id: 'm20', source: 'web', sensitivity: 'personal' },
    { name: 'signed_up', value: '"2026-01-10"', timestamp: now, message_id: 'm20', source: 'web', sensitivity: 'none' },
  ],
  trait_origins: [{ path: '/address/city', timestamp: now - DAY, message_id: 'm20', source: 'web' }],
  computed: [
    { name: 'average_basket', value: '60.25', definition_version: 1 },
    { name: 'days_since_last_order', value: '80', definition_version: 1 },
    { name: 'money_spent', value: '120.5', definition_version: 1 },
    { name: 'orders', value: '2', definition_version: 1 },
  ],
  revenue: [{ currency: 'USD', amount: '120.5' }],
  order_count: 2,
  groups: [{ group: 'acme', traits: '{"role":"buyer"}', timestamp: now, source: 'web' }],
  interactions: [],
  products: [
    { product: 'pot', currency: 'USD', name: 'Pot', quantity: '1', revenue: '60' },
    { product: 'tea', currency: 'USD', name: 'Tea', quantity: '6', revenue: '60.5' },
  ],
  first_touch: {
    timestamp: now - 91 * DAY,
    message_id: 'm20',
    source: 'web',
    referrer: 'https://search.example/?q=tea',
    utm_source: 'search',
    utm_medium: null,
    utm_campaign: 'spring',
    utm_term: null,
    utm_content: null,
    utm_id: null,
  },
  session_count: 4,
  session_ms: 90_000,
  first_session_at: now - 91 * DAY,
  last_session_at: now - 80 * DAY,
  last_session_until: now - 80 * DAY,
  last_session_events: 1,
  consents: [{ purpose: 'newsletter', state: 'granted', time: now, source: 'web', policy_version: null }],
  first_seen: now - 91 * DAY,
};
const adaBefore: Profile = {
  ...profile,
  version: 2,
  events: 1,
  revenue: [{ currency: 'USD', amount: '19.9' }],
  updated_at: now - 3 * DAY,
};
/** What counts people must not count it, though it has whatever they have. */
const account: Profile = {
  ...bobsProfile,
  profile_id: ACME,
  kind: 'account',
  identifiers: [acme],
  traits: [
    { name: 'a', value: '{"b":1}', timestamp: now, message_id: 'm9', source: 'crm', sensitivity: 'none' },
    { name: 'a.b', value: '2', timestamp: now, message_id: 'm9', source: 'crm', sensitivity: 'none' },
    { name: 'long', value: LONG, timestamp: now, message_id: 'm9', source: 'crm', sensitivity: 'none' },
    { name: 'name', value: '"Acme Tea"', timestamp: now, message_id: 'm9', source: 'crm', sensitivity: 'none' },
    { name: 'plan', value: '"gold"', timestamp: now, message_id: 'm9', source: 'crm', sensitivity: 'none' },
  ],
  computed: [
    { name: 'events', value: '"many"', definition_version: 1 },
    { name: 'revenue', value: '{"USD":7}', definition_version: 1 },
    { name: 'orders', value: '1', definition_version: 1 },
  ],
  groups: [],
};
const ofAccount: EventStitched = {
  ...event(6, '', acme, ACME, '{"type":"group","groupId":"acme","traits":{"name":"Acme Tea"}}'),
  type: 'group',
  event: null,
  kind: 'account',
  source: 'crm',
};
const visitorGone: Profile = { ...profile, profile_id: VISITOR, version: 4, gone: true, into: ADA };

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

const changes: IdentityChange[] = [
  { ...moved, kind: 'discovered', to_profile_id: null, version: 0, other: null, reason: 'new', decided_at: now - DAY },
  { ...moved, kind: 'refused', to_profile_id: null, version: 4, reason: 'limit', decided_at: now - HOUR },
  moved,
];

const delivered: Delivery = {
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
};
const deliveries: Delivery[] = [
  delivered,
  { ...delivered, idempotency_key: 'k2', requested_at: now - 300, attempts: 3 },
  { ...delivered, idempotency_key: 'k3', outcome: 'dead', reason: 'refused', status: 400, requested_at: now - 50 },
  { ...delivered, idempotency_key: 'k4', requested_at: now - 8 * DAY - 100, finished_at: now - 8 * DAY },
];

const rejected: EventRejected = {
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
};
const rejections: EventRejected[] = [
  rejected,
  { ...rejected, message_id: 'm10', received_at: now + 1 },
  { ...rejected, message_id: 'm11', reason: 'too_large', message: 'too large', payload: Buffer.from('x'.repeat(300)) },
];

const booked = { service: 'identity-stitcher', next: 4, outputs: {}, generation: 1 };
const collected = (prefix: string): string => `${prefix}events.collected`;
const books = (prefix: string): Accounting[] => [
  { ...booked, task: 'resolver', topic: collected(prefix), partition: 0, taken: 4, outcomes: { stitched: 4 } },
  {
    ...booked,
    task: 'resolver',
    topic: collected(prefix),
    partition: 1,
    taken: 3,
    outcomes: { stitched: 2, duplicate: 1 },
  },
  { ...booked, task: 'linker', topic: collected(prefix), partition: 0, taken: 9, outcomes: { linked: 9 } },
];

const wantedIn = (text: string): readonly Wanted[] => {
  const read = validateDefinitions(text, 'it');
  if ('errors' in read) throw new Error(read.errors.join('\n'));
  return read.definitions;
};
const definitionsOf = (wanted: readonly Wanted[]): Definitions =>
  new Definitions(wanted.flatMap(({ kind, name, body }) => (body ? [{ kind, name, version: 1, body }] : [])));
const [, declared] = /## Traits as columns[\s\S]*?```yaml\n([\s\S]*?)```/.exec(page) as RegExpExecArray;
const ofNewInstallation = readFileSync(new URL('../../../deploy/local/definitions.yaml', import.meta.url), 'utf8');
const documented = [...wantedIn(declared as string), ...wantedIn(ofNewInstallation)];

let installation: Installation;
let warehouse: Warehouse;
let client: ClickHouseClient;
beforeAll(async () => {
  installation = await createInstallation(addresses());
  warehouse = await openWarehouse(installation);
  const { clickhouseUrl: url, clickhousePassword: password } = addresses();
  client = createClient({ url, username: 'default', password, database: warehouse.database });
  await makeTraitView(client, traitViewOf(definitionsOf(documented), { database: warehouse.database, cluster: '' }));

  await produce(installation, topics.eventsStitched, [
    { key: VISITOR, value: event(1, 'Product Viewed', visitor, VISITOR) },
    { key: VISITOR, value: event(2, 'Product Added', visitor, VISITOR) },
    { key: ADA, value: event(3, 'Order Completed', ada, ADA, '{"properties":{"revenue":19.90}}') },
    { key: ADA, value: event(4, 'Order Completed', ada, ADA, '{"properties":{"revenue":"10.20"}}') },
    {
      key: VISITOR,
      value: event(5, 'Survey Answered', visitor, VISITOR, '{"properties":{"comment":"The DELIVERY was late!"}}'),
    },
    { key: ACME, value: ofAccount },
  ]);
  await produce(
    installation,
    topics.eventsStitched,
    fromBob.map((value) => ({ key: BOB, value })),
  );
  await produce(installation, topics.identityMappings, [
    {
      key: visitor.hash,
      value: { hash: visitor.hash, profile_id: ADA, version: 5, decided_at: now, generation: 1, edition: 1 },
    },
  ]);
  await produce(
    installation,
    topics.identityChanges,
    changes.map((value) => ({ key: VISITOR, value })),
  );
  await produce(installation, topics.profiles, [
    { key: ADA, value: adaBefore },
    { key: ADA, value: profile },
    { key: VISITOR, value: visitorGone },
    { key: BOB, value: bobsProfile },
    { key: ACME, value: account },
  ]);
  await produce(
    installation,
    topics.deliveries,
    deliveries.map((value) => ({ key: ADA, value })),
  );
  await produce(
    installation,
    topics.eventsRejected,
    rejections.map((value) => ({ key: 'test', value })),
  );
  await produce(
    installation,
    accountingTopic(1),
    books(installation.prefix).map((value) => ({ key: `${value.task}/${value.partition}`, value })),
  );
  const expected = {
    events: 6 + fromBob.length,
    identity_mappings: 1,
    identity_changes: changes.length,
    'profiles_latest FINAL': 4,
    [`profiles WHERE profile_id = '${ADA}' AND version = 3`]: 1,
    profiles: 3,
    profile_history: 5,
    deliveries: deliveries.length,
    rejected_events: rejections.length,
    accounting: books('').length,
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
  expect(queries.length).toBeGreaterThanOrEqual(20);
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
  const cents = await answer('to the cent');
  expect(cents.at(-1)).toMatchObject({ revenue: 30.1, orders: 2, customers: 1 });
  expect(cents.reduce((sum, { revenue }) => sum + Number(revenue), 0)).toBeCloseTo(30.1 + 120.5, 9);
  expect(await answer('How far')).toMatchObject([{ reached: 3, people: 1 }]);
  expect(await answer('before we knew')).toHaveLength(3);
  expect(await answer('late deliveries')).toMatchObject([{ profile_id: ADA, text: 'The DELIVERY was late!' }]);
  expect(await answer('by a trait')).toEqual(
    expect.arrayContaining([
      { plan: 'gold', people: 1, spent: 30.1 },
      { plan: 'free', people: 1, spent: 120.5 },
    ]),
  );
});

const second = (at: number): number => Math.floor(at / 1_000);
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);
const monthOf = (at: number): string => `${dayOf(at).slice(0, 7)}-01`;
const monthsOf = (month: string): number => 12 * Number(month.slice(0, 4)) + Number(month.slice(5, 7));

test('the queries of docs/sql.md about what came in and went out count what was sent', async () => {
  const at = now - HOUR + 1_000;
  const late = second(at + 500) - second(at);
  const row = { type: 'track', people: 1, late_p95_seconds: late };
  const today = await answer('came in today');
  expect(today[0]).toEqual({ ...row, event: 'Order Completed', events: 2 });
  const others = ['Product Added', 'Product Viewed', 'Survey Answered'].map((name) => ({
    ...row,
    event: name,
    events: 1,
  }));
  expect(today.slice(1)).toEqual(expect.arrayContaining(others));
  expect(today).toHaveLength(1 + others.length);

  expect(await answer('reached the destinations')).toEqual([
    { destination: 'shop', outcome: 'delivered', reason: null, requests: 2, attempts: 4, p95_ms: 100 + 0.95 * 200 },
    { destination: 'shop', outcome: 'dead', reason: 'refused', requests: 1, attempts: 1, p95_ms: 50 },
  ]);
  expect(await answer('rejected, and what')).toEqual([
    {
      stage: 'collector',
      reason: 'no_identifier',
      events: 2,
      message: 'no usable identifier',
      violations: ['$: no usable identifier'],
      example: '{}',
    },
    expect.objectContaining({ reason: 'too_large', events: 1, message: 'too large', example: 'x'.repeat(200) }),
  ]);
  expect(await answer('books balance')).toEqual([
    { topic: collected(installation.prefix), taken: 7, became: { duplicate: 1, stitched: 6 } },
  ]);
});

test('the queries of docs/sql.md about customers tell the best, those who come back, and what became of whom', async () => {
  const last = dayOf(now);
  expect(await answer('best customers')).toEqual([
    { profile_id: BOB, spent: 120.5, orders: 2, last },
    { profile_id: ADA, spent: 30.1, orders: 2, last },
  ]);
  const orders = [
    ...[3, 4].map((n) => ({ who: ADA, month: monthOf(now - HOUR + n * 1_000) })),
    ...purchases.map(({ at }) => ({ who: BOB, month: monthOf(at) })),
  ];
  const groups = new Map<string, Set<string>>();
  for (const { who, month } of orders) {
    const cohort = orders
      .filter((one) => one.who === who)
      .map((one) => one.month)
      .sort()[0] as string;
    const key = JSON.stringify([cohort, monthsOf(month) - monthsOf(cohort)]);
    groups.set(key, (groups.get(key) ?? new Set()).add(who));
  }
  const cohorts = [...groups].map(([key, { size: customers }]) => {
    const [cohort, later] = JSON.parse(key);
    return { cohort, later, customers };
  });
  expect(await answer('come back?')).toEqual(
    cohorts.sort((a, b) => a.cohort.localeCompare(b.cohort) || a.later - b.later),
  );

  const who = { identifier: 'anonymous_id:visit-1', other: 'user_id:ada-1', profile_id: VISITOR };
  expect(await answer('belong together')).toMatchObject([
    { ...who, kind: 'moved', reason: 'linked', to_profile_id: ADA },
    { ...who, kind: 'refused', reason: 'limit', to_profile_id: null },
  ]);
  const version = { why: ['event'], changed: ['events'], causes: ['m4'] };
  expect(await answer('How did a profile change')).toMatchObject([
    { ...version, version: 2, events: 1 },
    { ...version, version: 3, events: 4 },
  ]);
});

test('the queries of docs/sql.md about what profiles tell know touches, visits, products, interactions and accounts', async () => {
  expect(await answer('first brought our')).toEqual([
    { campaign: 'spring', source: 'search', customers: 1, spent: 120.5 },
    { campaign: null, source: null, customers: 1, spent: 30.1 },
  ]);
  const mondayOf = (at: number): string => dayOf(at - ((new Date(at).getUTCDay() + 6) % 7) * DAY);
  expect(await answer('leave at once')).toEqual([
    { week: mondayOf(now - 91 * DAY), visitors: 1, sessions_each: 4, minutes_each: 0.4, left_at_once: 0 },
    { week: mondayOf(now - HOUR), visitors: 1, sessions_each: 1, minutes_each: 0, left_at_once: 1 },
  ]);
  expect(await answer('people keep')).toEqual([
    { id: 'tea', name: 'Tea', currency: 'USD', pieces: 7.5, money: 75.65, buyers: 2 },
    { id: 'pot', name: 'Pot', currency: 'USD', pieces: 1, money: 60, buyers: 1 },
  ]);
  expect(await answer('waits for')).toEqual([
    { profile_id: ADA, id: 'case-2', channel: 'phone', agent: 'Ann', hours: expect.any(Number) },
  ]);
  expect(await answer('accounts are the largest')).toEqual([
    { profile_id: ACME, name: 'Acme Tea', people: 2, spent: 150.6 },
  ]);
});

test('a computed trait named like a figure takes its place in computed, and the column stays', async () => {
  expect(await ask('SELECT computed, events, revenue FROM profiles ORDER BY profile_id')).toEqual([
    { computed: { events: 4, revenue: { USD: 30.1 } }, events: 4, revenue: { USD: 30.1 } },
    {
      computed: {
        average_basket: 60.25,
        days_since_last_order: 80,
        events: 4,
        money_spent: 120.5,
        orders: 2,
        revenue: { USD: 120.5 },
      },
      events: 4,
      revenue: { USD: 120.5 },
    },
    { computed: { events: 'many', orders: 1, revenue: { USD: 7 } }, events: 4, revenue: { USD: 120.5 } },
  ]);
});

test('a trait that ClickHouse cannot read takes no other away', async () => {
  const traits = { a: { b: 1 }, long: LONG, name: 'Acme Tea', plan: 'gold' };
  for (const view of ['profiles', 'profile_history'])
    expect(await ask(`SELECT traits FROM ${view} WHERE profile_id = '${ACME}'`)).toEqual([{ traits }]);
});

test('both views tell all that the feed says of a profile', async () => {
  const told = (view: string): Promise<Record<string, unknown>[]> =>
    ask(`SELECT order_count, products, tupleElement(first_touch, 'referrer') AS referrer, toUnixTimestamp64Milli(assumeNotNull(first_touch.timestamp)) AS touched,
           last_touch.message_id AS untouched, session_count, session_ms, toUnixTimestamp64Milli(assumeNotNull(first_session_at)) AS began,
           toUnixTimestamp64Milli(assumeNotNull(last_session_at)) AS last, toUnixTimestamp64Milli(assumeNotNull(last_session_until)) AS until,
           last_session_events, JSONExtractString(groups[1].traits, 'role') AS role, interactions, trait_origins[1].path AS origin
         FROM ${view} WHERE profile_id = '${BOB}'`);
  const products = bobsProfile.products.map((one) => ({
    ...one,
    quantity: Number(one.quantity),
    revenue: Number(one.revenue),
  }));
  const expected = {
    order_count: 2,
    products,
    referrer: 'https://search.example/?q=tea',
    touched: now - 91 * DAY,
    untouched: null,
    session_count: 4,
    session_ms: 90_000,
    began: now - 91 * DAY,
    last: now - 80 * DAY,
    until: now - 80 * DAY,
    last_session_events: 1,
    role: 'buyer',
    interactions: [],
    origin: '/address/city',
  };
  expect(await told('profiles')).toEqual([expected]);
  expect(await told('profile_history')).toEqual([expected]);
});

test('the queries of docs/sql.md about buying say who bought what, and when', async () => {
  expect(await answer('Recency')).toMatchObject([
    { profile_id: BOB, orders: 2, spent: 120.5, recency: 2, frequency: 2, money: 3 },
    { profile_id: ADA, orders: 2, spent: 30.1, recency: 3, frequency: 3, money: 2 },
  ]);
  expect(await answer('buy again')).toEqual([{ customers: 2, again: 2, rate: 1 }]);
  const days = (from: number, to: number): number => Math.floor(to / DAY) - Math.floor(from / DAY);
  const [first, second] = purchases.map(({ at }) => at) as [number, number];
  const gaps = [days(now - HOUR + 3_000, now - HOUR + 4_000), days(first, second)];
  const average = (gaps[0] as number) / 2 + (gaps[1] as number) / 2;
  expect(await answer('between two orders')).toEqual([{ average_days: average, median_days: average, pairs: 2 }]);
  expect(await answer('about to lose')).toMatchObject([
    { profile_id: BOB, orders: 2, usual_days: days(first, second) },
  ]);
  expect(await answer('sells best')).toEqual([
    { product_id: 'tea', pieces: 6, money: 60.5 },
    { product_id: 'pot', pieces: 1, money: 60 },
  ]);
  const basket = { orders: 2, pieces: (5 + 2) / 2, average: (50.5 + 70) / 2, median: expect.anything() };
  expect(await answer('a basket')).toEqual([basket]);
});

test('the queries of docs/sql.md about where people come from and what they allow count each once', async () => {
  expect(await answer('Which campaign')).toEqual([
    { campaign: 'letter', by_first_touch: 0, by_last_touch: 70 },
    { campaign: 'spring', by_first_touch: 120.5, by_last_touch: 50.5 },
    { campaign: 'none', by_first_touch: 30.1, by_last_touch: 30.1 },
  ]);
  expect(await answer('Which referrers')).toEqual([
    { referrer: 'search.example', people: 1, buyers: 1, conversion: 1 },
  ]);
  expect(await answer('may we use')).toEqual([{ purpose: 'newsletter', granted: 1, denied: 0, unasked: 1 }]);
  expect(await answer('by name')).toEqual([{ profiles: 2, known: 1, share: 0.5 }]);
  expect(await answer('do we grow')).toMatchObject([
    { new_profiles: 1, profiles: 1 },
    { new_profiles: 1, profiles: 2 },
  ]);
  expect(await answer('most active')).toMatchObject([
    { source: 'test', events: 5, people: 1 },
    { source: 'web', events: 4, people: 1 },
  ]);
});

test('the queries of docs/sql.md about the past find what was known, and who became whom', async () => {
  expect(await answer('at that time')).toEqual([{ as_of_version: 2, events: 1, spent: 19.9 }]);
  const before = `SELECT computed.orders.:Int64 AS orders, consents['newsletter'] AS newsletter FROM profile_history WHERE profile_id = '${BOB}'`;
  expect(await ask(before)).toEqual([{ orders: 2, newsletter: 'granted' }]);
  expect(await answer('taken in')).toMatchObject([{ former: VISITOR }]);
  expect(await ask("SELECT traits.age.:Int64 AS age FROM profiles WHERE traits.plan.:String = 'free'")).toEqual([
    { age: 30 },
  ]);
});

test('the queries of docs/sql.md about traits as columns have a type for each', async () => {
  expect(await answer('each plan worth')).toEqual([
    { plan: 'free', people: 1, orders: 2, money: 120.5, basket: 60.25 },
    { plan: 'gold', people: 1, orders: null, money: null, basket: null },
  ]);
  expect(await answer('winning back')).toEqual([
    { profile_id: BOB, orders: 2, money_spent: 120.5, days_since_last_order: 80 },
  ]);
  expect(await answer('signed up later')).toEqual([{ year: '2026-01-01', people: 1, buyers: 1, money_each: 120.5 }]);
});

/** What the columns hold of profiles with these values. */
async function columnsOf(
  values: readonly Readonly<Record<'traits' | 'computed', Readonly<Record<string, string>>>>[],
): Promise<Record<string, unknown>[]> {
  const people = values.map(({ traits, computed }) => ({
    profile_id: randomUUID(),
    kind: 'person',
    version: 1,
    'traits.name': Object.keys(traits),
    'traits.value': Object.values(traits),
    'traits.timestamp': Object.keys(traits).map(() => 0),
    'traits.message_id': Object.keys(traits),
    'traits.source': Object.keys(traits),
    'traits.sensitivity': Object.keys(traits).map((name) => (name === 'once' ? 'sensitive' : 'none')),
    'computed.name': Object.keys(computed),
    'computed.value': Object.values(computed),
    'computed.definition_version': Object.keys(computed).map(() => 1),
  }));
  await client.insert({ table: 'profiles_latest', values: people, format: 'JSONEachRow' });
  const rows = await ask('SELECT * FROM profile_traits');
  return people.map(({ profile_id }) => rows.find((row) => row.profile_id === profile_id) ?? {});
}

test('a trait is a column by its definition, and what is of another type, or sensitive, is not in it', async () => {
  const definitions: Readonly<Record<string, object>> = {
    age: { type: 'number' },
    'a.b': { type: 'text' },
    a: {},
    born: { type: 'date' },
    "cart's": { type: 'number' },
    diagnosis: { type: 'text', sensitivity: 'sensitive' },
    kind: { type: 'text' },
    once: { type: 'text' },
    tags: { type: 'list' },
    values: {},
    gone: { type: 'boolean' },
    ill: { compute: { trait: 'diagnosis', exists: true } },
    buys: { compute: { aggregate: 'count', atLeast: 1 } },
    things: { compute: { aggregate: 'uniqueList', value: 'properties.thing' } },
    latest: { compute: { aggregate: 'last', value: 'properties.at' }, type: 'date' },
    orders: { compute: { aggregate: 'count' } },
    spent: { compute: { aggregate: 'sum', value: 'properties.revenue' } },
  };
  const wanted = Object.entries(definitions).map(([name, spec]) => {
    const body = definitionKinds.traits.parse(spec);
    return { kind: 'traits', name, body } as const;
  });
  await makeTraitView(client, traitViewOf(definitionsOf(wanted), { database: warehouse.database, cluster: '' }));
  const described = await ask(
    `SELECT name, type FROM system.columns WHERE database = '${warehouse.database}' AND table = 'profile_traits'`,
  );
  expect(Object.fromEntries(described.map(({ name, type }) => [name, type]))).toEqual({
    profile_id: 'UUID',
    kind: 'LowCardinality(String)',
    _kind: 'Nullable(String)',
    'a.b': 'Nullable(String)',
    a: 'Nullable(String)',
    age: 'Nullable(Float64)',
    born: "Nullable(DateTime64(3, 'UTC'))",
    buys: 'Nullable(Bool)',
    "cart's": 'Nullable(Float64)',
    gone: 'Nullable(Bool)',
    latest: "Nullable(DateTime64(3, 'UTC'))",
    once: 'Nullable(String)',
    orders: 'Nullable(Int64)',
    spent: 'Nullable(Float64)',
    tags: 'Array(String)',
    things: 'Array(String)',
    values: 'Nullable(String)',
  });

  const right = {
    traits: {
      ...{ age: '1234567890123456789012', "cart's": '-1.5e3', gone: 'false', values: 'true', a: '{"b":1.50}' },
      ...{ 'a.b': '"\\"é\\n"', kind: '"lead"', once: '"was sensitive"', diagnosis: '"x"' },
      ...{ born: '"1990-05-17T23:30:00+02:00"', tags: '["x",1,{"y":[]}]' },
    },
    computed: { buys: 'true', ill: 'true', latest: '"2026-03-01"', orders: '7', spent: '0.1', things: '["tea"]' },
  };
  const wrong = {
    traits: {
      ...{ 'a.b': '1', a: '"t"', age: '"30"', born: '"1990-02-30"', "cart's": '1e999', gone: '"true"', tags: '{}' },
    },
    computed: { buys: '1', orders: '"7"', spent: 'true', things: '"tea"' },
  };
  const [rightly, wrongly] = await columnsOf([right, wrong]);
  expect(rightly).toMatchObject({
    _kind: 'lead',
    'a.b': '"é\n',
    a: '{"b":1.50}',
    age: Number(right.traits.age),
    born: '1990-05-17 21:30:00.000',
    buys: true,
    "cart's": -1500,
    gone: false,
    latest: '2026-03-01 00:00:00.000',
    once: null,
    orders: 7,
    spent: 0.1,
    tags: ['x', '1', '{"y":[]}'],
    things: ['tea'],
    values: 'true',
  });
  const { profile_id, kind, a, tags, things, ...others } = wrongly ?? {};
  expect({ kind, a, tags, things }).toEqual({ kind: 'person', a: 't', tags: [], things: [] });
  expect(new Set(Object.values(others))).toEqual(new Set([null]));
});

test('a date in a column is the moment that the language sees in it', async () => {
  const texts = ['2026-02-28', '2024-02-29', '2023-02-29', '2026-04-31', '2026-02-28T12:30', '2026-02-28 12:30:15.12Z'];
  const more = ['1969-12-31T23:59:59.1239Z', '2026-02-28T00:30:15+05:30', '2026-02-28T12:30:15.123456789-1400', 'soon'];
  const odd = [
    '20260228',
    '2026-02-28T24:00',
    '2026-2-8',
    ' 2026-02-28',
    '1772281815',
    '0999-01-01',
    '9999-12-31T23:59Z',
  ];
  const all = [...texts, ...more, ...odd];
  const born = { kind: 'traits', name: 'born', body: definitionKinds.traits.parse({ type: 'date' }) } as const;
  await makeTraitView(client, traitViewOf(definitionsOf([born]), { database: warehouse.database, cluster: '' }));
  const rows = await columnsOf(all.map((text) => ({ traits: { born: JSON.stringify(text) }, computed: {} })));
  const found = rows.map(({ born: at }) => (at === null ? undefined : Date.parse(`${String(at).replace(' ', 'T')}Z`)));
  expect(found).toEqual(all.map((text) => momentOf(text, 'UTC')));
});

test('one profile is found in the event log by its sorting key', async () => {
  const plan = await ask(
    `EXPLAIN indexes = 1 SELECT event FROM events WHERE routing IN (SELECT arrayJoin(routings) FROM profiles WHERE profile_id = '${ADA}')`,
  );
  expect(JSON.stringify(plan)).toMatch(/PrimaryKey.*routing/);
});

test('a BI client in Python lists the views and asks three of the queries', async (context) => {
  const folder = join(import.meta.dirname, 'bi-client');
  const path = await pythonPackages(join(folder, 'requirements.txt')).catch((error: Error) => {
    if (/ is missing; /.test(error.message)) context.skip(error.message);
    throw error;
  });
  const { clickhouseUrl, clickhousePassword: password } = addresses();
  const { hostname: host, port } = new URL(clickhouseUrl);
  const { database } = warehouse;
  const env = { ...process.env, PYTHONPATH: path };
  const python = (args: readonly string[], input: string): string => {
    const { stdout, stderr, status } = spawnSync('python3', args, { input, env, encoding: 'utf8' });
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  };
  const asked = ['story', 'Recency', 'sells best'].map(
    (part) => queries.find(({ question }) => question.includes(part))?.sql,
  );
  const found = JSON.parse(
    python([join(folder, 'ask.py')], JSON.stringify({ host, port: Number(port), password, database, queries: asked })),
  );
  expect(found.tables).toEqual(expect.arrayContaining(['events', 'profiles', 'profile_history']));
  expect(found.inspected).toContain('events');
  expect(found.columns).toEqual(expect.arrayContaining(['profile_id', 'revenue', 'properties']));
  expect(found.by_dialect).toEqual([
    ['Order Completed', 2],
    ['Page Viewed', 2],
  ]);
  const [story, buyers, products] = found.answers;
  expect(story).toHaveLength(5);
  expect(buyers).toMatchObject([
    { profile_id: BOB, spent: '120.500000' },
    { profile_id: ADA, spent: '30.100000' },
  ]);
  expect(products).toMatchObject([
    { product_id: 'tea', pieces: 6, money: '60.50' },
    { product_id: 'pot', pieces: 1, money: '60.00' },
  ]);

  const [, documented] = /```python\n([\s\S]*?)```/.exec(page) as RegExpExecArray;
  const here = (documented as string)
    .replace('127.0.0.1', host)
    .replace('8123', port)
    .replace('PASSWORD', password)
    .replace("database='tributary'", `database='${database}'`);
  expect(python(['-'], here)).toContain('Order Completed 4\n');
});
