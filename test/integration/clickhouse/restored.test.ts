import { expect, test } from 'vitest';
import type { EventCollected, EventRejected, EventStitched, IdentityChange } from '#schemas/generated/records.ts';
import { accountingTopic, topics } from '#schemas/topics.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import { readAgain } from '../../../deploy/restore/read-again.ts';
import { nothing } from '../../../services/profile-projector/core/profile.ts';
import { addresses } from '../../support/addresses.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { produce } from '../../support/produce.ts';
import { until } from '../../support/until.ts';
import { openWarehouse, type Warehouse } from '../../support/warehouse.ts';

const AT = Date.UTC(2026, 2, 1);
const profileId = (n: number): string => `${String(n).padStart(8, '0')}-1111-5111-8111-111111111111`;
const hashOf = (n: number): string => n.toString(16).padStart(32, '0');

/** A record of every topic that ClickHouse reads; those of neighbouring numbers have a key in common. */
async function produceDay(installation: Installation, n: number): Promise<void> {
  const key = Math.floor(n / 2);
  const received_at = AT + n * 60_000;
  const hash = hashOf(key);
  const profile_id = profileId(key);
  const identifier = { type: 'user_id', value: String(key), hash };
  const origin = { actor: 'a', reason: 'why', definitions: [], generation: 1 };
  const event: EventCollected = {
    message_id: `m${n}`,
    type: 'track',
    event: 'Tea Bought',
    source: 'web',
    user_id: String(key),
    anonymous_id: null,
    original_timestamp: received_at,
    sent_at: null,
    received_at,
    timestamp: received_at,
    flags: [],
    kind: 'person',
    identifiers: [identifier],
    payload: '{"properties":{"revenue":"1.5"}}',
    ip: null,
    enrichment: '{}',
    consents: [],
    currency: 'EUR',
    definitions: [],
    generation: 1,
  };
  const stitched: EventStitched = { ...event, profile_id, mapping_version: 0 };
  const rejected: EventRejected = {
    stage: 'collector',
    reason: 'bad',
    message: 'bad',
    source: 'web',
    message_id: `r${n}`,
    received_at,
    rejected_at: received_at,
    violations: [],
    payload: Buffer.from('{}'),
    topic: null,
    partition: null,
    offset: null,
    definitions: [],
    generation: 1,
  } as unknown as EventRejected;
  const change: IdentityChange = {
    kind: 'moved',
    profile_id,
    identifier,
    to_profile_id: profileId(key + 1),
    version: n + 1,
    other: null,
    reason: 'linked',
    claim_ids: [],
    decided_at: received_at,
    definitions: [],
    generation: 1,
  };
  const version = { ...nothing, profile_id, version: (n % 2) + 1, events: n, changed: [], causes: [], why: ['event'] };
  const ofKey = <V>(value: V) => [{ key: hash, value }];
  await Promise.all([
    produce(installation, topics.eventsCollected, ofKey(event)),
    produce(installation, topics.eventsStitched, ofKey(stitched)),
    produce(installation, topics.eventsRejected, ofKey(rejected)),
    produce(installation, topics.identityChanges, ofKey(change)),
    produce(
      installation,
      topics.profiles,
      ofKey({
        ...version,
        updated_at: received_at,
        gone: false,
        into: null,
        definitions: [],
        generation: 1,
        edition: 1,
      }),
    ),
    produce(
      installation,
      topics.identityClaims,
      ofKey({
        claim_id: hash,
        kind: 'observed',
        identifiers: [identifier],
        message_id: `m${n}`,
        source: 'web',
        received_at,
        occurred_at: received_at,
        target: null,
        rules: null,
        weight: null,
        ...origin,
      }),
    ),
    produce(
      installation,
      topics.identityMappings,
      ofKey({ hash, profile_id, version: n + 1, decided_at: received_at, generation: 1, edition: 1 }),
    ),
    produce(
      installation,
      topics.profileExpiries,
      ofKey({
        identifier_type: 'anonymous_id',
        hash,
        profile_id,
        until: received_at,
        decided_at: received_at,
        generation: 1,
      }),
    ),
    produce(
      installation,
      topics.audienceChanges,
      ofKey({
        profile_id,
        audience: 'tea',
        change: n % 2 ? 'exited' : 'entered',
        episode: 1,
        profile_version: n,
        at: received_at,
        why: 'event',
        definitions: [],
        generation: 1,
      } as never),
    ),
    produce(
      installation,
      topics.definitions,
      ofKey({
        kind: 'purpose',
        name: `p${key}`,
        version: (n % 2) + 1,
        body: '{}',
        actor: 'a',
        reason: '',
        at: received_at,
        deleted: false,
      }),
    ),
    produce(
      installation,
      topics.deliveries,
      ofKey({
        idempotency_key: `k${n}`,
        destination: 'crm',
        action: 'send',
        trigger: 'event',
        profile_id,
        message_id: `m${n}`,
        outcome: 'delivered',
        reason: null,
        purposes: [],
        consents: [],
        fields: [],
        attempts: 1,
        status: 200,
        answer: null,
        requested_at: received_at,
        finished_at: received_at,
        definitions: [],
        generation: 1,
      } as never),
    ),
    produce(
      installation,
      accountingTopic(1),
      ofKey({
        service: 's',
        task: 't',
        topic: `t${key}`,
        partition: 0,
        next: n,
        taken: n,
        outcomes: { taken: n },
        outputs: {},
        generation: 1,
      }),
    ),
  ]);
}

/** Of every table its rows, those delivered twice once. */
async function contentsOf({ rows, database }: Warehouse): Promise<Record<string, string[]>> {
  const contents: Record<string, string[]> = {};
  for (const table of await tablesOf({ rows, database }))
    contents[table] = (await rows(`SELECT * FROM {db}.${table} FINAL`)).map((row) => JSON.stringify(row)).sort();
  return contents;
}

async function tablesOf({ rows, database }: Pick<Warehouse, 'rows' | 'database'>): Promise<string[]> {
  const found = await rows<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = '${database}' AND engine = 'ReplacingMergeTree' AND name NOT LIKE 'kept_%' ORDER BY name`,
  );
  return found.map(({ name }) => name);
}

const countsOf = (contents: Record<string, string[]>): Record<string, number> =>
  Object.fromEntries(Object.entries(contents).map(([table, { length }]) => [table, length]));

/** How many rows there are of so many days: of some tables one for each, of others one for two days that have a key in common. */
const ofDays = (days: number): Record<string, number> => ({
  ...Object.fromEntries(
    ['audience_changes_log', 'collected', 'definitions_log', 'deliveries_log'].map((table) => [table, days]),
  ),
  ...Object.fromEntries(
    ['events_log', 'identity_changes_log', 'profile_versions', 'rejected_log'].map((table) => [table, days]),
  ),
  ...Object.fromEntries(
    ['accounting_log', 'identity_claims_log', 'identity_mappings', 'profile_expiries_log', 'profiles_latest'].map(
      (table) => [table, Math.ceil(days / 2)],
    ),
  ),
  generations_now: 0,
  ingest_errors: 0,
});

test('restored from a back-up that is a day old, it reads again what came since: nothing is lost, and nothing double', async () => {
  const installation = await createInstallation(addresses());
  const { admin, prefix } = installation;
  const warehouse = await openWarehouse(installation);
  const { client, database, rows, surroundings, close } = warehouse;
  const run = (query: string) => client.command({ query });
  const untilThere = async (what: string, wanted: Record<string, number>): Promise<void> => {
    let found: Record<string, number> = {};
    const isThere = async (): Promise<boolean> => {
      found = countsOf(await contentsOf(warehouse));
      return Object.entries(wanted).every(([table, count]) => found[table] === count);
    };
    await until(what, isThere, undefined, () => found);
  };
  try {
    for (const n of [0, 1, 2]) await produceDay(installation, n);
    await untilThere('the first days are there', ofDays(3));
    const tables = await tablesOf(warehouse);
    expect(tables.sort()).toEqual(Object.keys(ofDays(0)).sort());
    for (const table of tables) {
      await run(`CREATE TABLE ${database}.kept_${table} AS ${database}.${table}`);
      await run(`INSERT INTO ${database}.kept_${table} SELECT * FROM ${database}.${table}`);
    }
    for (const n of [3, 4]) await produceDay(installation, n);
    await untilThere('the last days are there', ofDays(5));
    const before = await contentsOf(warehouse);
    for (const table of tables) {
      await run(`TRUNCATE TABLE ${database}.${table}`);
      await run(`INSERT INTO ${database}.${table} SELECT * FROM ${database}.kept_${table}`);
    }
    // One topic has forgotten meanwhile what no back-up has.
    const collected = prefix + topics.eventsCollected.name;
    const partitions = (await topicOffsets(admin, collected)).map(({ partition, high }) => ({
      partition,
      offset: String(high),
    }));
    await admin.deleteTopicRecords({ topic: collected, partitions });
    // It goes on at its groups' offsets: behind what comes now there is a hole.
    await produceDay(installation, 5);
    await untilThere('what came after the restore is there', { events_log: 4, collected: 4, definitions_log: 4 });

    const done = await readAgain(admin, client, surroundings);
    expect(done.map(({ topic }) => topic.slice(prefix.length)).sort()).toEqual(
      [...Object.values(topics), accountingTopic(1)].map(({ name }) => name).sort(),
    );
    expect(done.filter(({ records, lost }) => records !== 6 || lost !== 0)).toMatchObject([
      { topic: collected, records: 1, lost: 2 },
    ]);
    await untilThere('all days are there', { ...ofDays(6), collected: 4 });
    const restored = await contentsOf(warehouse);
    for (const table of tables.filter((one) => one !== 'collected' && ofDays(5)[one] === 5))
      expect(restored[table], table).toEqual(expect.arrayContaining(before[table] ?? []));
    const newest = () => rows('SELECT DISTINCT version FROM {db}.profiles_latest FINAL');
    await expect.poll(newest).toEqual([{ version: 2 }]);
  } finally {
    await close();
    await installation.close();
  }
});
