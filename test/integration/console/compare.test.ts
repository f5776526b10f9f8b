import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { EventCollected, Generation, Profile } from '#schemas/generated/records.ts';
import { generationsTopic, quietTopics, topics } from '#schemas/topics.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { planOf, provisionTopics } from '#shared/kafka/provision-topics.ts';
import { formatDigest } from '#shared/profiles/digest.ts';
import { createLog } from '#shared/service/log.ts';
import { orderOf, purchasesIn } from '../../../deploy/local/sample/orders.ts';
import { seededRandom } from '../../../deploy/local/sample/random.ts';
import { type RecordedEvent, type Reference, referenceFold } from '../../../deploy/local/sample/reference-fold.ts';
import { clickStream } from '../../../deploy/local/sample/visitors.ts';
import { DigestMeter } from '../../../services/console/adapters/digest-meter.ts';
import { ProfileView } from '../../../services/console/adapters/profile-view.ts';
import { queryOf } from '../../../services/console/adapters/query.ts';
import { Warehouse as WarehouseReader } from '../../../services/console/adapters/warehouse.ts';
import { digest } from '../../../services/console/cli/commands/digest.ts';
import { replayCompare } from '../../../services/console/cli/commands/replay-compare.ts';
import { invocationOf } from '../../../services/console/cli/config.ts';
import { Connections } from '../../../services/console/cli/connections.ts';
import { examineProfiles } from '../../../services/console/cli/examine-profiles.ts';
import type { Output } from '../../../services/console/cli/output.ts';
import { addresses } from '../../support/addresses.ts';
import { secret, serviceEnvironment } from '../../support/collector-process.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { produce } from '../../support/produce.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { until } from '../../support/until.ts';
import { openWarehouse, type Warehouse } from '../../support/warehouse.ts';

/** Two feeds from one fold, and the event log: then each is damaged in one way, and the damage is named. */

const hashing = hashingWith(secret);
const BEGIN = Date.UTC(2026, 0, 2);
const quiet = quietTopics(2).profiles;

interface Said {
  readonly profile_id: string;
  readonly reason: string;
  readonly at: string | null;
  readonly identifiers: readonly string[];
  readonly events: readonly string[];
  readonly event_log_agrees_with: readonly string[];
  readonly differences: readonly { readonly path: string; readonly live: unknown; readonly replayed: unknown }[];
}

interface Compared {
  readonly same: boolean;
  readonly live: { readonly profiles: number; readonly digest: string };
  readonly replayed: { readonly profiles: number; readonly digest: string };
  readonly differing: number;
  readonly reasons: Readonly<Record<string, number>>;
  readonly profiles: readonly Said[];
  readonly event_log: {
    readonly asked: number;
    readonly disagreeing: number;
    readonly profiles: readonly (Said & { readonly disagreements: readonly { readonly path: string }[] })[];
  };
}

let installation: Installation;
let warehouse: Warehouse;
let events: readonly RecordedEvent[];
let reference: Reference;

type Command = (connections: Connections, words: readonly string[]) => Promise<Output>;

/** Runs a command as the tool does. */
async function tributary(command: Command, ...args: readonly string[]): Promise<Output> {
  const invocation = invocationOf(args);
  if ('errors' in invocation) throw new Error(invocation.errors.join());
  const connections = new Connections(invocation.settings);
  try {
    return await command(connections, invocation.words);
  } finally {
    await connections.close();
  }
}
const json = async <T>(command: Command, ...args: readonly string[]): Promise<T> =>
  JSON.parse(JSON.stringify((await tributary(command, ...args)).json)) as T;

/** As the collector would record it. */
function recorded(event: Readonly<Record<string, unknown>>, source: string, received_at: number): RecordedEvent {
  const { userId, anonymousId, traits } = event as Record<string, string | undefined>;
  const email = (traits as { email?: string } | undefined)?.email;
  const named = [
    ['user_id', userId],
    ['email', email],
    ['anonymous_id', anonymousId],
  ] as const;
  const identifiers = named.flatMap(([type, value]) =>
    value === undefined ? [] : [{ type, value, hash: hashing.hash(type, value) }],
  );
  const at = Number(new Date((event.timestamp as string | undefined) ?? received_at));
  const value: EventCollected = {
    message_id: event.messageId as string,
    type: event.type as string,
    event: (event.event as string | undefined) ?? null,
    source,
    user_id: userId ?? null,
    anonymous_id: anonymousId ?? null,
    original_timestamp: at,
    sent_at: null,
    received_at,
    timestamp: at,
    flags: [],
    kind: 'person',
    identifiers,
    payload: JSON.stringify(event),
    ip: null,
    enrichment: '{}',
    consents: [],
    currency: 'USD',
    definitions: [],
    generation: 1,
  };
  const key = identifiers[0]?.hash ?? '';
  return { partition: Number.parseInt(key[0] as string, 16) % 4, key, value };
}

const stamp = (time: number): string => new Date(time).toISOString().replace('T', ' ').replace('Z', '');

/** A row of the event log. */
const logged = ({ value }: RecordedEvent) => ({
  message_id: value.message_id,
  type: value.type,
  event: value.event,
  source: value.source,
  kind: value.kind,
  routing: value.identifiers[0]?.hash,
  received_at: stamp(value.received_at),
  timestamp: stamp(value.timestamp),
  payload: value.payload,
  currency: value.message_id.startsWith('hal') ? '' : value.currency,
  'identifiers.type': value.identifiers.map(({ type }) => type),
  'identifiers.value': value.identifiers.map(({ value }) => value),
  'identifiers.hash': value.identifiers.map(({ hash }) => hash),
});

/** Somebody who visits four times, logs in, and orders. */
function person(name: string): Readonly<Record<string, unknown>>[] {
  const context = { campaign: { source: 'news', name: `of ${name}` } };
  const visits = [1, 2, 3, 4].map((n) => ({
    type: 'track',
    event: 'Viewed',
    anonymousId: `device-of-${name}`,
    messageId: `${name}-visit-${n}`,
    ...(n === 2 ? { context } : {}),
  }));
  return [
    ...visits,
    {
      type: 'identify',
      userId: name,
      anonymousId: `device-of-${name}`,
      messageId: `${name}-login`,
      traits: { email: `${name}@example.com`, plan: 'pro' },
    },
    {
      type: 'track',
      event: 'Order Completed',
      userId: name,
      messageId: `${name}-order`,
      properties: { order_id: `order-of-${name}`, revenue: '77.10', currency: 'eur' },
    },
    {
      type: 'track',
      event: 'Order Refunded',
      userId: name,
      messageId: `${name}-refund`,
      properties: { revenue: null, total: 7.123_457_5 },
    },
  ];
}

const people = ['ann', 'ben', 'cleo', 'dan', 'eve', 'fay', 'gil', 'hal'];

const publish = (topic: typeof quiet | typeof topics.profiles, profiles: Iterable<Profile>) =>
  produce(
    installation,
    topic as typeof topics.profiles,
    [...profiles].map((value) => ({ key: value.profile_id, value })),
  );

const profileOf = (name: string): Profile => {
  const found = [...reference.profiles.values()].find(({ identifiers }) =>
    identifiers.some(({ type, value }) => type === 'user_id' && value === name),
  );
  if (!found) throw new Error(`nobody is ${name}`);
  return found;
};

const fold = (some: Iterable<RecordedEvent>): Promise<Reference> =>
  referenceFold(some, { hashing, generation: 1, now: BEGIN, definitions: new Definitions() });

beforeAll(async () => {
  const platform = addresses();
  installation = await createInstallation(platform);
  warehouse = await openWarehouse(installation);
  const env = {
    ...serviceEnvironment(platform, installation.prefix),
    TRIBUTARY_CLICKHOUSE_URL: platform.clickhouseUrl,
    TRIBUTARY_CLICKHOUSE_DATABASE: warehouse.database,
  };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  writeFileSync(join(process.env.TRIBUTARY_DATA as string, 'clickhouse-password'), platform.clickhousePassword);
  await provisionTopics(installation.admin, [planOf(quiet, installation.prefix, 4, 1)]);
  const generation: Generation = {
    generation: 2,
    state: 'replaying',
    edition: 0,
    claims: 'recorded',
    claims_cut: 0,
    history: 'clickhouse',
    definitions: '',
    started_at: BEGIN,
    changed_at: BEGIN,
    actor: 'test',
    reason: '',
  };
  await produce(installation, generationsTopic, [{ key: '2', value: generation }]);

  const file = new URL('../../data/cdnow_master_transactions.csv.gz', import.meta.url);
  const orders = purchasesIn(gunzipSync(readFileSync(file)).toString('utf8'))
    .slice(0, 400)
    .map(orderOf);
  const customers = [...new Set(orders.map(({ userId }) => userId))];
  const stream = clickStream({ customers, visitors: 60, until: BEGIN, random: seededRandom(3) });
  const all = [
    ...people.flatMap(person).map((event, n) => recorded(event, 'web', BEGIN + 1_000 + n)),
    ...orders.map((order, n) => recorded({ type: 'track', ...order }, 'local-server', BEGIN + n)),
    ...stream.visits.flat().map((click, n) => recorded({ ...click }, 'local-web', BEGIN + n)),
  ];
  const byName = new Map(all.toReversed().map((one) => [`${one.value.source}/${one.value.message_id}`, one]));
  events = all.filter((one) => byName.get(`${one.value.source}/${one.value.message_id}`) === one);
  reference = await fold(events);
  await warehouse.client.insert({
    table: `${warehouse.database}.events_log`,
    values: events.map(logged),
    format: 'JSONEachRow',
  });
  await publish(topics.profiles, reference.profiles.values());
  await publish(quiet, reference.profiles.values());
  await until('ClickHouse has all profiles', async () => {
    const [row] = await warehouse.rows<{ count: string }>('SELECT toString(count()) AS count FROM {db}.profiles');
    return row?.count === String(reference.profiles.size);
  });
});
afterAll(async () => {
  await warehouse.close();
  await installation.close();
});

test('the live feed, ClickHouse and a generation that say the same have the digest of a fold without faults', async () => {
  const total = { profiles: reference.profiles.size, digest: formatDigest(reference.digest) };
  expect(await json(digest)).toEqual(total);
  expect(await json(digest, '--clickhouse')).toEqual(total);
  expect(await json(digest, '--generation', '2')).toEqual(total);
  await expect(tributary(digest, '--generation', '3')).rejects.toThrow('there is no generation 3');
  expect(await json<Compared>(replayCompare, '2')).toMatchObject({
    same: true,
    live: total,
    replayed: total,
    differing: 0,
    profiles: [],
    event_log: { asked: total.profiles, disagreeing: 0, profiles: [] },
  });
});

test('each planted fault is found, and named', async () => {
  const next = (name: string, change: (profile: Profile) => Partial<Profile>): Profile => {
    const before = profileOf(name);
    return { ...before, version: before.version + 1, ...change(before) };
  };
  const withoutDevice = async (name: string): Promise<Profile> => {
    const { profiles } = await fold(
      events
        .filter(({ value }) => value.message_id.startsWith(`${name}-`) && !value.message_id.includes('visit'))
        .map(({ value: { identifiers, ...rest }, ...one }) => ({
          ...one,
          value: { ...rest, identifiers: identifiers.filter(({ type }) => type !== 'anonymous_id') },
        })),
    );
    const [left] = profiles.values();
    return next(name, () => ({ ...(left as Profile), profile_id: profileOf(name).profile_id, version: 2 }));
  };
  const device = hashing.hash('anonymous_id', 'device-of-gil');
  const ofDevice = hashing.profileIdOf(device);
  const gil = await withoutDevice('gil');
  const parted = await fold(events.filter(({ value }) => value.message_id.startsWith('gil-visit')));

  await publish(topics.profiles, [
    // A changed trait in state: of the live generation.
    next('ben', ({ traits }) => ({ traits: traits.map((one) => ({ ...one, value: '"free@example.com"' })) })),
  ]);
  await publish(quiet, [
    // A doubled tributary.
    next('dan', ({ events, event_counts }) => ({
      events: events + 4,
      event_counts: event_counts.map((one) => (one.event === 'Viewed' ? { ...one, count: 8 } : one)),
    })),
    // A lost move: the device's events are in no profile.
    await withoutDevice('eve'),
    // A trait that is defined otherwise.
    next('fay', () => ({ computed: [{ name: 'orders', value: '1', definition_version: 2 }] })),
    // Another grouping: the device is somebody of its own.
    ...(profileOf('gil').profile_id === ofDevice
      ? [{ ...gil, profile_id: hashing.profileIdOf(hashing.hash('user_id', 'gil')) }]
      : [gil]),
    ...[...parted.profiles.values()].map((one) => ({ ...one, version: 9 })),
    // One that has not come to the last event yet.
    next('hal', ({ events, event_counts, updated_at, revenue }) => ({
      events: events - 1,
      event_counts: event_counts.filter(({ event }) => event !== 'Order Refunded'),
      revenue: revenue.filter(({ currency }) => currency === 'EUR'),
      updated_at: updated_at - 1,
    })),
  ]);
  // A missing event in ClickHouse: what it led to was told of the profile that the device had before.
  const former = await fold(events.filter(({ value }) => value.message_id.startsWith('cleo-visit')));
  await publish(topics.profiles, former.profiles.values());
  const [once] = [...former.profiles.values()];
  await publish(topics.profiles, [
    once?.profile_id === profileOf('cleo').profile_id
      ? { ...profileOf('cleo'), version: 9 }
      : { ...(once as Profile), version: 2, gone: true, into: profileOf('cleo').profile_id },
  ]);
  await warehouse.client.command({
    query: `ALTER TABLE ${warehouse.database}.events_log DELETE WHERE message_id = 'cleo-visit-2' SETTINGS mutations_sync = 2`,
  });

  await until('ClickHouse has read that', async () => {
    const [row] = await warehouse.rows<{ count: string }>(
      `SELECT toString(count()) AS count FROM {db}.profile_versions WHERE has(causes, 'cleo-visit-2')`,
    );
    return Number(row?.count) > 0;
  });

  const { json: answer, text, exitCode } = await tributary(replayCompare, '2');
  const found = JSON.parse(JSON.stringify(answer)) as Compared;
  const said = (name: string): Said | undefined =>
    found.profiles.find(({ profile_id }) => profile_id === profileOf(name).profile_id);
  expect(found.reasons).toEqual({
    state: 1,
    'doubled tributary': 1,
    'lost move': 1,
    definition: 1,
    rule: 2,
    'late event': 1,
  });
  expect(said('ben')).toMatchObject({
    reason: 'state',
    event_log_agrees_with: ['live', 'generation 2'],
    differences: [
      { path: 'traits.email', live: { value: '"f…@example.com"' }, replayed: { value: '"b…@example.com"' } },
      { path: 'traits.plan', replayed: { value: '"pro"' } },
    ],
  });
  expect(said('dan')).toMatchObject({
    reason: 'doubled tributary',
    at: 'generation 2',
    identifiers: ['anonymous_id:d…n'],
    event_log_agrees_with: ['live'],
    differences: [{ path: 'event_counts' }, { path: 'events', live: 7, replayed: 11 }],
  });
  expect(said('eve')).toMatchObject({
    reason: 'lost move',
    at: 'generation 2',
    identifiers: ['anonymous_id:d…e'],
    events: expect.arrayContaining(['eve-visit-1', 'eve-visit-2', 'eve-visit-3']),
  });
  expect(said('fay')).toMatchObject({ reason: 'definition', differences: [{ path: 'computed.orders', live: null }] });
  expect(said('gil')).toMatchObject({ reason: 'rule', at: null });
  expect(said('hal')).toMatchObject({ reason: 'late event', at: 'generation 2', events: ['hal-refund'] });
  expect(found.event_log).toMatchObject({ live: 1 });
  expect(found.event_log.profiles).toMatchObject([
    {
      profile_id: profileOf('cleo').profile_id,
      reason: 'missing event',
      at: 'the event log',
      events: ['cleo-visit-2'],
      disagreements: [{ path: 'events' }, { path: 'last_touch' }],
    },
  ]);
  expect(exitCode).toBe(1);
  expect(text.split('\n')).toEqual(
    expect.arrayContaining([
      '7 profiles differ; of 7 it was looked why: 1 definition, 1 doubled tributary, 1 late event, 1 lost move, 2 rule, 1 state',
      `${profileOf('dan').profile_id}  doubled tributary in generation 2 of anonymous_id:d…n`,
      `${profileOf('cleo').profile_id}  missing event in the event log (events cleo-visit-2)`,
    ]),
  );
});

test('what ClickHouse has otherwise than the feed is found by doctor, and told by the metrics of the console', async () => {
  await warehouse.client.command({
    query: `INSERT INTO ${warehouse.database}.profiles_latest SELECT * REPLACE(events + 1 AS events) FROM ${warehouse.database}.profiles_latest FINAL WHERE has(identifiers.value, 'ann')`,
  });
  const examined = async (): Promise<object> => {
    const findings: string[] = [];
    const notes: string[] = [];
    await tributary(async (connections) => {
      await examineProfiles(
        connections,
        (what) => void findings.push(what),
        (what) => void notes.push(what),
      );
      return { json: findings, text: '' };
    });
    return { findings, notes };
  };
  const { profiles, digest: whole } = await json<{ profiles: number; digest: string }>(digest);
  // ClickHouse may not have read all that was published before.
  await expect.poll(examined).toEqual({
    findings: [
      `ClickHouse has 1 of ${profiles} profiles otherwise than the feed:\n    ${profileOf('ann').profile_id}: events`,
      expect.stringContaining(`${profileOf('cleo').profile_id}: missing event in the event log (cleo-visit-2): events`),
    ],
    notes: [
      `${profiles} profiles, digest ${whole}: ${profiles} compared with ClickHouse and with the event log; generation 2 is not complete yet`,
    ],
  });

  const { kafka, codecs, prefix } = installation;
  const log = createLog('test', 'silent');
  const view = new ProfileView({ kafka, codecs, prefix, hashing, directory: temporaryDirectory(), log });
  const metrics = new Registry();
  const query = queryOf(warehouse.client, warehouse.database);
  const meter = new DigestMeter({ view, warehouse: new WarehouseReader(query), everyMs: 60_000, metrics, log });
  const running = [view.run(), meter.run()];
  await until('it has measured', async () => (await metrics.metrics()).includes('tributary_profiles_differing 1'));
  const told = await metrics.metrics();
  expect(told).toContain(`tributary_profiles ${profiles}\n`);
  expect(told).toContain(`tributary_profiles_compared ${profiles}\n`);
  expect(told).toContain(`tributary_profiles_digest_info{digest="${whole}"} 1\n`);
  await meter.stop();
  await view.stop();
  await Promise.allSettled(running);
});
