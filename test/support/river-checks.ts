import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Profile } from '#schemas/generated/records.ts';
import { deliveryTopic, topics } from '#schemas/topics.ts';
import { balanceOf, type Rejections } from '#shared/accounting/balance.ts';
import { canonicalProfile } from '#shared/profiles/digest.ts';
import { type Books, outcomesOf, sum } from '../../deploy/local/sample/books.ts';
import type { KafkaRecord } from '../../deploy/local/sample/kafka-records.ts';
import { referenceFold } from '../../deploy/local/sample/reference-fold.ts';
import { readWarehouse, type Warehouse, warehouseDifferences } from '../../deploy/local/sample/warehouse.ts';
import type { River } from './river.ts';
import { until } from './until.ts';
import { addCents, type Bought, type Cents, noCents } from './wave.ts';

const CLICKHOUSE_WITHIN_MS = 120_000;
const READ_API_WITHIN_MS = 120_000;

/** Waits until the river is quiet, and fails unless all is as if nothing had ever happened to it. */
export async function expectAsWithoutTrouble(river: River): Promise<void> {
  const books = await river.quiet();
  await expectNothingLost(river);
  const feed = feedOf(await river.records(topics.profiles));
  expect(feed.broken, 'versions on the feed').toEqual([]);
  expectWhatWasSent(river, [...feed.profiles.values()]);
  const reference = await referenceFold(
    [...river.collected.values()].flatMap(({ value, ...rest }) => (value ? [{ ...rest, value }] : [])),
    {
      hashing: river.hashing,
      generation: river.installation.generation,
      definitions: await river.definitions(),
      now: Date.now(),
    },
  );
  expect(contents(feed.profiles.values()), 'profiles on the feed').toEqual(contents(reference.profiles.values()));
  expect(outcomesOf(books, 'resolver', `${river.installation.prefix}events.collected`)).toEqual(reference.outcomes);
  await expectDeliveries(river);
  await expectSameInClickHouse(river, books, feed.profiles);
  await expectReadApi(river, feed.profiles);
}

/** What was acknowledged is stored, and what was stored went on exactly once. */
async function expectNothingLost(river: River): Promise<void> {
  const collected = new Set([...river.collected.values()].map(({ value }) => value?.message_id ?? ''));
  const rejected = new Set((await river.records(topics.eventsRejected)).map(({ value }) => value?.message_id ?? ''));
  const lost = [...river.acknowledged].filter((id) => !collected.has(id) && !rejected.has(id));
  expect(lost, 'acknowledged and lost').toEqual([]);
  const stitched = [...river.stitched.values()].map(({ value }) => value?.message_id ?? '');
  expect(stitched.length, 'stitched more than once').toBe(new Set(stitched).size);
  expect(stitched.sort(), 'stitched').toEqual([...collected].sort());
}

/** What was sent is what the profiles say, person by person: counted without any code that made them. */
function expectWhatWasSent(river: River, profiles: readonly Profile[]): void {
  const events = sum(profiles.map((profile) => profile.events));
  expect(events, 'events in profiles').toBe(river.stitched.size);
  expect(profiles.map(centsIn).reduce(addCents, noCents), 'revenue in profiles').toEqual(
    river.waves.map(({ cents }) => cents).reduce(addCents, noCents),
  );
  const customers = new Map<string, Bought>();
  for (const [userId, { orders, cents }] of river.waves.flatMap((wave) => [...wave.customers])) {
    const before = customers.get(userId) ?? { orders: 0, cents: noCents };
    customers.set(userId, { orders: before.orders + orders, cents: addCents(before.cents, cents) });
  }
  const holding = Map.groupBy(
    profiles.flatMap((profile) =>
      profile.identifiers.flatMap(({ type, value }) => (type === 'user_id' ? [{ userId: value, profile }] : [])),
    ),
    ({ userId }) => userId,
  );
  // One user id is one person: nobody else's orders are among its own.
  const found = [...customers.keys()].map((userId) => [
    userId,
    (holding.get(userId) ?? []).map(({ profile }): Bought => {
      const orders = profile.event_counts.find(({ event }) => event === 'Order Completed')?.count ?? 0;
      return { orders, cents: centsIn(profile) };
    }),
  ]);
  expect(found, 'orders of each user id').toEqual([...customers].map(([userId, bought]) => [userId, [bought]]));
}

function centsIn({ revenue }: Profile): Cents {
  const centsOf = (currency: string): bigint => {
    const [whole = '0', fraction = ''] = (revenue.find((one) => one.currency === currency)?.amount ?? '0').split('.');
    expect(fraction.length, 'decimals of a price').toBeLessThanOrEqual(2);
    return BigInt(whole + fraction.padEnd(2, '0'));
  };
  return { USD: centsOf('USD'), EUR: centsOf('EUR') };
}

/** The feed, record by record: versions from 1 by one, a last value and then a tombstone for what is gone. */
export function feedOf(records: readonly KafkaRecord<Profile>[]) {
  const profiles = new Map<string, Profile>();
  const newest = new Map<string, Profile>();
  const broken: string[] = [];
  for (const { key, value } of records) {
    const before = newest.get(key);
    const owesTombstone = before?.gone === true && profiles.has(key);
    if (!value) {
      if (!owesTombstone) broken.push(`${key}: a tombstone without a last value`);
      profiles.delete(key);
      continue;
    }
    if (owesTombstone) broken.push(`${key}: version ${value.version} where its tombstone should be`);
    const expected = (before?.version ?? 0) + 1;
    if (value.version !== expected) broken.push(`${key}: version ${value.version} instead of ${expected}`);
    newest.set(key, value);
    profiles.set(key, value);
  }
  for (const [key, { gone }] of profiles) if (gone) broken.push(`${key}: gone, and no tombstone`);
  return { profiles: profiles as ReadonlyMap<string, Profile>, broken };
}

const contents = (profiles: Iterable<Profile>): string[] => [...profiles].map(canonicalProfile).sort();

/** Every request ended once, and the receiver saw each that was delivered. */
async function expectDeliveries(river: River): Promise<void> {
  const keysOf = (records: readonly KafkaRecord<{ readonly idempotency_key: string }>[]): string[] =>
    records.map(({ value }) => value?.idempotency_key ?? '').sort();
  const deliveries = await river.records(topics.deliveries);
  const requests = keysOf(await river.records(deliveryTopic(river.destination)));
  expect(requests.length).toBeGreaterThan(0);
  expect(new Set(requests).size, 'planned more than once').toBe(requests.length);
  expect(keysOf(deliveries), 'the ledger').toEqual(requests);
  expect(new Set(deliveries.map(({ value }) => value?.outcome))).toEqual(new Set(['delivered']));
  expect([...river.receiver.accepted.keys()].sort(), 'idempotency keys at the receiver').toEqual(requests);
  const wanted = [...river.stitched.values()].flatMap(({ value }) => {
    const revenue = value?.event === 'Order Completed' ? JSON.parse(value.payload).properties.revenue : 0;
    return revenue >= 40 ? [value?.message_id] : [];
  });
  expect(requests.length, 'orders that the destination asks for').toBe(wanted.length);
}

/** The same books and profiles once more, in ClickHouse, as soon as it has caught up. */
async function expectSameInClickHouse(
  river: River,
  books: Books,
  profiles: ReadonlyMap<string, Profile>,
): Promise<void> {
  const { prefix, generation } = river.installation;
  const expected = [...profiles.values()].map(rowOf).sort(byProfile);
  let found: unknown[] = ['no answer'];
  const isSame = async (): Promise<boolean> => {
    const warehouse = await readWarehouse(river.clickhouse, river.destination);
    const rejectedFurtherOn = total(rejections(warehouse.rejected).filter(({ stage }) => stage !== 'collector'));
    const { events, duplicates, collected } = warehouse;
    found = [
      ...warehouseDifferences(books, profiles.size, warehouse, prefix),
      ...balanceOf({ prefix, generation, ...countsOf(books, warehouse, profiles) }).differences,
      ...(collected === events + duplicates + rejectedFurtherOn ? [] : [{ collected, events, duplicates }]),
    ];
    if (found.length === 0) {
      const rows = (await profilesInClickHouse(river)).sort(byProfile);
      const there = new Set(rows.map((row) => JSON.stringify(row)));
      found = expected.filter((row) => !there.has(JSON.stringify(row))).slice(0, 3);
      if (rows.length !== expected.length) found.push(`${rows.length} profiles instead of ${expected.length}`);
    }
    return found.length === 0 || sleep(250, false);
  };
  await until('ClickHouse says the same', isSame, CLICKHOUSE_WITHIN_MS, () => found);
  const errors = await rowsOf(river, 'SELECT topic, error FROM ingest_errors LIMIT 5');
  expect(errors, 'what ClickHouse could not read').toEqual([]);
}

const rejections = (counts: ReadonlyMap<string, number>): Rejections[] =>
  [...counts].map(([place, count]) => {
    const [stage = '', reason = ''] = place.split(': ');
    return { stage, reason, count };
  });
const total = (list: readonly Rejections[]): number => list.reduce((sum, { count }) => sum + count, 0);

const countsOf = (books: Books, warehouse: Warehouse, profiles: ReadonlyMap<string, Profile>) => ({
  accepted: books.collected,
  accounting: books.accounting,
  rejectedRecords: rejections(books.rejected),
  clickhouse: {
    collected: warehouse.collected,
    events: warehouse.events,
    profileEvents: sum([...profiles.values()].map(({ events }) => events)),
    rejected: rejections(warehouse.rejected),
    deliveries: Object.fromEntries(warehouse.deliveries),
  },
});

interface ProfileRow {
  readonly profile_id: string;
  readonly kind: string;
  readonly version: number;
  readonly identifiers: readonly string[];
  readonly traits: Readonly<Record<string, unknown>>;
  readonly events: number;
  readonly event_counts: Readonly<Record<string, number>>;
  readonly revenue: Readonly<Record<string, string>>;
  readonly sources: readonly string[];
  readonly first: number;
  readonly last: number;
  readonly flags: readonly string[];
}

const byProfile = (a: ProfileRow, b: ProfileRow): number => (a.profile_id < b.profile_id ? -1 : 1);
const sorted = <V>(entries: Iterable<readonly [string, V]>): Record<string, V> =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
const decimal = (amount: string): string => (amount.includes('.') ? amount.replace(/\.?0+$/, '') : amount);

/** A profile of the feed as the view `profiles` should show it. */
const rowOf = (profile: Profile): ProfileRow => ({
  profile_id: profile.profile_id,
  kind: profile.kind,
  version: profile.version,
  identifiers: profile.identifiers.map(({ type, value }) => `${type}:${value}`),
  traits: sorted(profile.traits.map(({ name, value }) => [name, JSON.parse(value)])),
  events: profile.events,
  event_counts: sorted(profile.event_counts.map(({ event, count }) => [event, count])),
  revenue: sorted(profile.revenue.map(({ currency, amount }) => [currency, decimal(amount)])),
  sources: profile.sources,
  first: profile.first_seen ?? 0,
  last: profile.last_seen ?? 0,
  flags: profile.flags,
});

async function profilesInClickHouse(river: River): Promise<ProfileRow[]> {
  const rows = await rowsOf<ProfileRow & Readonly<Record<'first' | 'last', string>>>(
    river,
    `SELECT profile_id, kind, version, identifiers, traits, events, event_counts,
       mapApply((currency, amount) -> (currency, toString(amount)), revenue) AS revenue, sources,
       toUnixTimestamp64Milli(first_seen) AS first, toUnixTimestamp64Milli(last_seen) AS last, flags
     FROM profiles`,
  );
  return rows.map((row) => ({
    profile_id: row.profile_id,
    kind: row.kind,
    version: Number(row.version),
    identifiers: row.identifiers,
    traits: sorted(Object.entries(row.traits)),
    events: Number(row.events),
    event_counts: sorted(Object.entries(row.event_counts).map(([event, count]) => [event, Number(count)])),
    revenue: sorted(Object.entries(row.revenue).map(([currency, amount]) => [currency, decimal(amount)])),
    sources: row.sources,
    first: Number(row.first),
    last: Number(row.last),
    flags: row.flags,
  }));
}

async function rowsOf<T>(river: River, query: string): Promise<T[]> {
  return (await river.clickhouse.query({ query, format: 'JSONEachRow' })).json<T>();
}

/** The read API answers with what the feed says, by whatever identifier it is asked. */
async function expectReadApi(river: River, profiles: ReadonlyMap<string, Profile>): Promise<void> {
  const url = `http://127.0.0.1:${river.host.settings.apiPort}/v1/profiles/`;
  const headers = { authorization: `Bearer ${river.host.apiToken}` };
  const people = [...profiles.values()].sort((a, b) => b.identifiers.length - a.identifiers.length);
  const asked = [...people.slice(0, 20), ...people.slice(-20)];
  for (const { profile_id, version, events, identifiers } of asked) {
    const { type = '', value = '' } = identifiers.at(-1) ?? {};
    let answer: unknown;
    const isSame = async (): Promise<boolean> => {
      const response = await fetch(url + encodeURIComponent(`${type}:${value}`), { headers });
      answer = await response.json();
      const same = expect.objectContaining({ profile_id, version, events });
      return same.asymmetricMatch(answer) || sleep(100, false);
    };
    await until(`the read API tells version ${version} of ${profile_id}`, isSame, READ_API_WITHIN_MS, () => answer);
  }
}
