import type { ClickHouseClient } from '@clickhouse/client';
import type {
  Accounting,
  Definition,
  IdentityClaim,
  ProfileExpiry,
  RecordName,
  Records,
} from '#schemas/generated/records.ts';
import { accountingTopic, changelogTopic, deadTopic, deliveryTopic, type Topic, topics } from '#schemas/topics.ts';
import type { Hashing } from '#shared/identity/hashing.ts';
import { askedAgain } from '#shared/kafka/asked-again.ts';
import { type Admin, type KafkaClient, Partitioners, type Producer } from '#shared/kafka/client.ts';
import type { Codecs } from '#shared/kafka/codec.ts';
import { partitionOf } from '#shared/kafka/partition-of.ts';
import { planOf, provisionTopics } from '#shared/kafka/provision-topics.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import { TOTALS } from '#shared/task/surroundings.ts';
import { chunkKey, extended, type SeenEntry } from '../../services/identity-stitcher/core/seen-chunk.ts';
import { filledIn, type Surroundings } from '../clickhouse/migrations.ts';

/** A new Kafka, with its topics, and a ClickHouse that has read an earlier one. */
export interface Places {
  readonly kafka: KafkaClient;
  readonly admin: Admin;
  readonly codecs: Codecs;
  readonly clickhouse: ClickHouseClient;
  readonly around: Surroundings;
  readonly partitions: number;
  readonly replication: number;
  readonly hashing: Hashing;
  /** Told of each step. */
  readonly say: (line: string) => void;
}

/** Messages in one request to Kafka; those with chunks of message ids are larger. */
const AT_ONCE = 1_000;
/** Message ids in one chunk: some 20 kB. */
const IDS_IN_CHUNK = 1_000;

/** Whether this Kafka has nothing of an installation whose history ClickHouse holds. */
export async function isKafkaNew({ admin, clickhouse, around }: Pick<Places, 'admin' | 'clickhouse' | 'around'>) {
  const { prefix, database } = around;
  // Definitions are put back last.
  for (const { name } of [topics.definitions, topics.eventsCollected])
    if ((await topicOffsets(admin, prefix + name)).some(({ high }) => high > 0)) return false;
  const query = `SELECT 1 FROM ${database}.events_log LIMIT 1 UNION ALL SELECT 1 FROM ${database}.identity_claims_log LIMIT 1`;
  const result = await clickhouse.query({ query, format: 'JSONEachRow' });
  return (await result.json()).length > 0;
}

/**
 * Puts back into a new Kafka what only Kafka held and nothing makes anew: definitions, claims, what has expired, and which events and
 * claims the resolvers know. In ClickHouse it sets aside what stood in the Kafka before, and marks as of before (generation 0) what stays:
 * neither its offsets nor its places mean anything now. Services must not have run. After a failure it can be run again.
 */
export async function putBack(places: Places): Promise<void> {
  const { say } = places;
  const claims = await setAside(places);
  const producer = places.kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  try {
    const writer = new Writer(places, producer);
    say(`profile.expiries: ${await expiries(places, writer)} put back`);
    say(`message ids: ${await messageIds(places, writer)} put back`);
    say(`identity.claims: ${await claimsFrom(claims, places, writer)} put back`);
    say(`definitions: ${await definitions(places, writer)} put back`);
  } finally {
    await producer.disconnect();
  }
}

/** By their names with the prefix. */
class Writer {
  readonly #places: Places;
  readonly #producer: Producer;

  constructor(places: Places, producer: Producer) {
    this.#places = places;
    this.#producer = producer;
  }

  /** To a topic, by the keys' partitions. @returns how many there were */
  async all<N extends RecordName>(
    topic: Topic & { readonly value: N },
    records: AsyncIterable<{ readonly key: string; readonly value: Records[N]; readonly time: number }>,
  ): Promise<number> {
    const { codecs, around } = this.#places;
    const name = around.prefix + topic.name;
    const codec = await codecs.ofTopic(name, topic.value);
    let count = 0;
    for await (const batch of inBatches(records, AT_ONCE)) {
      const messages = batch.map(({ key, value, time }) => ({
        key,
        value: codec.encode(value),
        timestamp: String(time),
      }));
      await this.#producer.send({ topic: name, acks: -1, messages });
      count += messages.length;
    }
    return count;
  }

  /** To the resolver's changelog. */
  async toResolvers<N extends RecordName>(
    record: N,
    store: string,
    changes: readonly { readonly partition: number; readonly key: string; readonly value: Records[N] }[],
  ): Promise<void> {
    const { codecs, around } = this.#places;
    const codec = await codecs.ofRecord(around.prefix, record);
    const topic = around.prefix + changelogTopic(around.generation, 'resolver', 'many').name;
    const messages = changes.map(({ partition, key, value }) => ({
      partition,
      key: `${store}/${key}`,
      value: codec.encode(value),
    }));
    if (messages.length > 0) await this.#producer.send({ topic, acks: -1, messages });
  }
}

/** @returns the table with the claims */
async function setAside({ admin, clickhouse, around, say }: Places): Promise<string> {
  const { database } = around;
  const run = (statement: string) =>
    clickhouse.command({
      query: filledIn(statement, around),
      clickhouse_settings: { mutations_sync: '2', alter_sync: '2' },
    });
  const { clusterId } = await askedAgain(() => admin.describeCluster());
  // By the new Kafka's name: run again, it is known what was set aside already; another time has another name.
  const aside = (table: string): string => `${table}_before_${clusterId.replace(/\W/g, '_')}`;
  for (const table of ['identity_claims_log', ...derived]) {
    const kept = `{database}.${aside(table)}`;
    await run(`CREATE TABLE IF NOT EXISTS ${kept} {on_cluster} AS {database}.${table}`);
    if ((await countOf(clickhouse, `${database}.${aside(table)}`)) === 0)
      await run(`ALTER TABLE ${kept} {on_cluster} ATTACH PARTITION ALL FROM {database}.${table}`);
    await run(`TRUNCATE TABLE {database}.${table} {on_cluster}`);
    say(`ClickHouse: ${table} is set aside as ${aside(table)}`);
  }
  for (const table of ['profiles_latest', 'accounting_log', 'generations_now'])
    await run(`TRUNCATE TABLE {database}.${table} {on_cluster}`);
  // Whoever went back to its default profile is told nothing more of: what was told last must stay, below all that comes.
  await run(
    `INSERT INTO {database}.identity_mappings SELECT * REPLACE (0 AS version, 1 AS edition) FROM {database}.${aside('identity_mappings')} FINAL`,
  );
  await run(
    `INSERT INTO {database}.rejected_log SELECT * REPLACE (kafka_partition + ${EARLIER} AS kafka_partition, 0 AS generation) FROM {database}.${aside('rejected_log')} FINAL`,
  );
  for (const table of ['events_log', 'deliveries_log'])
    await run(`ALTER TABLE {database}.${table} {on_cluster} UPDATE generation = 0 WHERE generation > 0`);
  return aside('identity_claims_log');
}

/** What is told anew, and would be mixed up with what was told before. */
const derived = [
  'identity_changes_log',
  'identity_mappings',
  'profile_versions',
  'audience_changes_log',
  'collected',
  'rejected_log',
];

/** Added to partitions of the Kafka before, so that their offsets are not taken for those of now. */
const EARLIER = 1_000_000;

async function countOf(clickhouse: ClickHouseClient, table: string): Promise<number> {
  const result = await clickhouse.query({
    query: `SELECT toUInt32(count()) AS n FROM ${table}`,
    format: 'JSONEachRow',
  });
  return (await result.json<{ n: number }>())[0]?.n ?? 0;
}

/** The newest of each, with the topics that they ask for. */
async function definitions(places: Places, writer: Writer): Promise<number> {
  const { admin, around, partitions, replication } = places;
  const newest = await rowsOf<Definition>(
    places,
    `SELECT kind, name, version, body, actor, reason, toUnixTimestamp64Milli(at) AS at, deleted
     FROM ${around.database}.definitions_log FINAL ORDER BY kind, name, version DESC LIMIT 1 BY kind, name`,
  );
  const asked = newest.flatMap(({ kind, name }) => {
    if (kind === 'profile_webhook') return [deadTopic(name)];
    return kind === 'destination' ? [deliveryTopic(name), deadTopic(name)] : [];
  });
  await provisionTopics(
    admin,
    asked.map((topic) => planOf(topic, around.prefix, partitions, replication)),
  );
  const records = newest.map((value) => ({ key: `${value.kind}/${value.name}`, value, time: value.at }));
  return writer.all(topics.definitions, asAsync(records));
}

async function expiries(places: Places, writer: Writer): Promise<number> {
  const { around, hashing } = places;
  const rows = stream<ProfileExpiry>(
    places,
    `SELECT identifier_type, toString(hash) AS hash, toString(profile_id) AS profile_id, toUnixTimestamp64Milli(until) AS until,
       toUnixTimestamp64Milli(decided_at) AS decided_at, generation
     FROM ${around.database}.profile_expiries_log FINAL`,
  );
  return writer.all(
    topics.profileExpiries,
    mapped(rows, (value) => ({ key: hashing.profileIdOf(value.hash), value, time: value.decided_at })),
  );
}

/** Of all events, so that one that is sent again is a duplicate still. A day at a time. */
async function messageIds(places: Places, writer: Writer): Promise<number> {
  const { around, partitions } = places;
  const days = await rowsOf<{ day: string }>(
    places,
    `SELECT DISTINCT toString(toDate(received_at, 'UTC')) AS day FROM ${around.database}.events_log ORDER BY day`,
  );
  let count = 0;
  for (const { day } of days) {
    const byPlace = new Map<string, { readonly partition: number; readonly entries: SeenEntry[] }>();
    const rows = stream<{ routing: string; id: string; at: number }>(
      places,
      `SELECT toString(routing) AS routing, lower(hex(substring(SHA256(concat(source, char(0), message_id)), 1, 16))) AS id,
         toUnixTimestamp64Milli(received_at) AS at
       FROM ${around.database}.events_log FINAL WHERE toDate(received_at, 'UTC') = {day:Date}`,
      { day },
    );
    for await (const { routing, id, at } of rows) {
      const partition = partitionOf(routing, partitions);
      const place = `${partition}/${Math.floor(at / HOUR_MS)}`;
      const known = byPlace.get(place) ?? { partition, entries: [] };
      byPlace.set(place, known);
      known.entries.push({ id, receivedAt: at, offset: 0 });
      count++;
    }
    const chunks = [...byPlace.values()].flatMap(({ partition, entries }) =>
      Array.from({ length: Math.ceil(entries.length / IDS_IN_CHUNK) }, (_, n) => {
        const some = entries.slice(n * IDS_IN_CHUNK, (n + 1) * IDS_IN_CHUNK);
        // Far beyond the offsets that come in that hour, which have chunks of their own.
        const key = chunkKey({ ...(some[0] as SeenEntry), offset: (n + 1) * BEYOND });
        return { partition, key, value: extended(undefined, some) };
      }),
    );
    for (let n = 0; n < chunks.length; n += CHUNKS_AT_ONCE)
      await writer.toResolvers('Seen', 'seen', chunks.slice(n, n + CHUNKS_AT_ONCE));
  }
  return count;
}

const HOUR_MS = 3_600_000;
const CHUNKS_AT_ONCE = 100;
/** A multiple of the offsets that share a chunk. */
const BEYOND = 2 ** 36;

type ClaimRow = Omit<IdentityClaim, 'identifiers' | 'definitions'> & {
  readonly types: readonly string[];
  readonly values: readonly string[];
  readonly hashes: readonly string[];
  readonly definitions: readonly string[];
};

/**
 * In the order that they were made in, after those that an interrupted run has put back. Resolvers are told what they have claimed, so that
 * they do not claim it again, and later; and how much that was, so that the books balance.
 */
async function claimsFrom(table: string, places: Places, writer: Writer): Promise<number> {
  const { admin, around, partitions } = places;
  const bounds = await topicOffsets(admin, around.prefix + topics.identityClaims.name);
  const there = bounds[0]?.high ?? 0;
  const rows = stream<ClaimRow>(
    places,
    `SELECT claim_id, kind, identifiers.type AS types, identifiers.value AS values, identifiers.hash AS hashes, message_id, source,
       toUnixTimestamp64Milli(received_at) AS received_at, toUnixTimestamp64Milli(occurred_at) AS occurred_at, actor, reason, target, rules,
       weight, definitions, generation
     FROM ${around.database}.${table} FINAL ORDER BY kafka_offset`,
  );
  const byPartition = new Map<number, number>();
  let count = 0;
  const written = (async function* () {
    for await (const batch of inBatches(mapped(rows, claimOf), AT_ONCE)) {
      const sightings = batch.flatMap(({ claim_id: key, actor, received_at, occurred_at }) => {
        const partition = Number(/^resolver-(\d+)$/.exec(actor)?.[1] ?? -1);
        if (partition >= partitions)
          throw new Error(`there were more than ${partitions} partitions: TRIBUTARY_PARTITIONS must be as it was`);
        if (partition >= 0) byPartition.set(partition, (byPartition.get(partition) ?? 0) + 1);
        return partition < 0 ? [] : [{ partition, key, value: { received_at, occurred_at } }];
      });
      await writer.toResolvers('Sighting', 'sighting', sightings);
      for (const value of batch) if (count++ >= there) yield { key: value.claim_id, value, time: value.received_at };
    }
  })();
  await writer.all(topics.identityClaims, written);
  const totals = [...byPartition].map(
    ([partition, claim]): Accounting => ({
      service: 'identity-stitcher',
      task: 'resolver',
      topic: '',
      partition,
      next: 0,
      taken: 0,
      outcomes: {},
      outputs: { claim },
      generation: around.generation,
    }),
  );
  await writer.toResolvers(
    'Accounting',
    TOTALS,
    totals.map((value) => ({ partition: value.partition, key: '', value })),
  );
  const records = totals.map((value) => ({
    key: `${value.service}/${value.task}//${value.partition}`,
    value,
    time: Date.now(),
  }));
  await writer.all(accountingTopic(around.generation), asAsync(records));
  return count;
}

function claimOf({ types, values, hashes, definitions, ...claim }: ClaimRow): IdentityClaim {
  return {
    ...claim,
    identifiers: types.map((type, n) => ({ type, value: values[n] as string, hash: hashes[n] as string })),
    definitions: definitions.map((one) => {
      const at = one.lastIndexOf('@');
      return { definition: one.slice(0, at), version: Number(one.slice(at + 1)) };
    }),
  };
}

async function* stream<T>(
  { clickhouse }: Places,
  query: string,
  params: Readonly<Record<string, unknown>> = {},
): AsyncGenerator<T> {
  const result = await clickhouse.query({
    query,
    query_params: { ...params },
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
    format: 'JSONEachRow',
  });
  for await (const rows of result.stream<T>()) for (const row of rows) yield row.json();
}

async function rowsOf<T>(places: Places, query: string): Promise<T[]> {
  return Array.fromAsync(stream<T>(places, query));
}

async function* asAsync<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

async function* mapped<A, B>(values: AsyncIterable<A>, by: (value: A) => B): AsyncGenerator<B> {
  for await (const value of values) yield by(value);
}

async function* inBatches<T>(values: AsyncIterable<T>, most: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const value of values) {
    batch.push(value);
    if (batch.length < most) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
