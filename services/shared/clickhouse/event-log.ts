import type { ClickHouseClient } from '@clickhouse/client';
import type { EventStitched } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import type { Admin, KafkaClient } from '#shared/kafka/client.ts';
import { holdsRecords } from '#shared/kafka/holds-records.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import type { ReadSlice } from './read-ahead.ts';

/** An event as the log has it, with what profiles and identities are made of. */
export interface LoggedEvent
  extends Omit<EventStitched, 'user_id' | 'original_timestamp' | 'sent_at' | 'flags' | 'ip' | 'enrichment'> {
  /** Where it was in `events.stitched`; of an earlier Kafka, since lost, it is before all: -1. */
  readonly partition: number;
  readonly offset: number;
}

/** The event log: all events that ever were stitched, each once; without those that are known to have expired. */
export interface History {
  /** Whether it has all that stands in `events.stitched` below these offsets, by partition, and knows all that has expired as yet. */
  reaches(below: readonly number[]): Promise<boolean>;
  /** How many events it has of those. */
  count(below: readonly number[]): Promise<number>;
  /** Those whose routing hash is in one of so many equal parts of the space of hashes; in any order, some at a time. */
  readonly slice: ReadSlice;
}

/** The event log in ClickHouse. @param clickhouse called when it is first needed */
export class EventLog implements History {
  readonly #kafka: KafkaClient;
  readonly #clickhouse: () => ClickHouseClient;
  readonly #database: string;
  readonly #prefix: string;

  constructor(kafka: KafkaClient, clickhouse: () => ClickHouseClient, database: string, prefix: string) {
    this.#kafka = kafka;
    this.#clickhouse = clickhouse;
    this.#database = database;
    this.#prefix = prefix;
  }

  /** By partition, where `events.stitched` ends now. */
  ends(): Promise<readonly number[]> {
    return this.endsOf(topics.eventsStitched.name);
  }

  reaches(below: readonly number[]): Promise<boolean> {
    return this.#asking(async (admin) => {
      if (!(await this.#hasRead(admin, topics.eventsStitched.name, below))) return false;
      const { name } = topics.profileExpiries;
      return this.#hasRead(admin, name, await this.#endsOf(admin, name));
    });
  }

  /** By partition, where a topic ends now. */
  endsOf(name: string): Promise<readonly number[]> {
    return this.#asking((admin) => this.#endsOf(admin, name));
  }

  /** Whether ClickHouse has read a topic so far. */
  hasRead(name: string, below: readonly number[]): Promise<boolean> {
    return this.#asking((admin) => this.#hasRead(admin, name, below));
  }

  async #asking<T>(ask: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.#kafka.admin();
    await admin.connect();
    try {
      return await ask(admin);
    } finally {
      await admin.disconnect();
    }
  }

  async #endsOf(admin: Admin, name: string): Promise<number[]> {
    const bounds = await topicOffsets(admin, this.#prefix + name);
    return bounds.toSorted((a, b) => a.partition - b.partition).map(({ high }) => high);
  }

  /** ClickHouse commits what it has written. */
  async #hasRead(admin: Admin, name: string, below: readonly number[]): Promise<boolean> {
    const topic = this.#prefix + name;
    const [group] = await admin.fetchOffsets({ groupId: `${this.#prefix}clickhouse.${name}`, topics: [topic] });
    const read = new Map(group?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    if (below.every((offset, partition) => offset <= (read.get(partition) ?? 0))) return true;
    const bounds = await topicOffsets(admin, topic);
    const ranges = bounds.map(({ partition, low }) => {
      const from = Math.max(read.get(partition) ?? 0, low);
      return { partition, from, below: below[partition] ?? 0 };
    });
    // It does not commit past tombstones, of which it takes no notice.
    return !(await holdsRecords(this.#kafka, topic, ranges, (value) => value !== null));
  }

  async count(below: readonly number[]): Promise<number> {
    const result = await this.#clickhouse().query({
      query: `SELECT toUInt32(count()) AS count FROM {database:Identifier}.events_log WHERE ${BELOW}`,
      query_params: { database: this.#database, below },
      format: 'JSONEachRow',
    });
    return (await result.json<{ count: number }>())[0]?.count ?? 0;
  }

  slice(...which: Parameters<ReadSlice>): ReturnType<ReadSlice> {
    const expiries = `LEFT JOIN (
        SELECT hash, max(until) AS forgotten FROM {database:Identifier}.profile_expiries_log
        WHERE hash >= {from:String} AND hash < {to:String} GROUP BY hash
      ) AS expiry ON log.routing = expiry.hash WHERE (received_at > forgotten OR expiry.hash = '')`;
    return this.#slice(expiries, ...which);
  }

  /** The same with what has expired. */
  sliceWithExpired(...which: Parameters<ReadSlice>): ReturnType<ReadSlice> {
    return this.#slice('WHERE true', ...which);
  }

  async *#slice(
    which: string,
    ...[below, slice, slices]: Parameters<ReadSlice>
  ): AsyncGenerator<readonly LoggedEvent[]> {
    const result = await this.#clickhouse().query({
      query: `SELECT ${columns.join(', ')} FROM {database:Identifier}.events_log AS log FINAL
        ${which} AND routing >= {from:String} AND routing < {to:String} AND ${BELOW}`,
      query_params: { database: this.#database, below, from: edgeOf(slice, slices), to: edgeOf(slice + 1, slices) },
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
      format: 'JSONCompactEachRow',
    });
    for await (const rows of result.stream<Row>()) yield rows.map((row) => eventOf(row.json()));
  }
}

/** Lists rather than objects: names would be half of what is read. */
const columns = [
  'message_id',
  'type',
  'event',
  'source',
  'anonymous_id',
  'toUnixTimestamp64Milli(received_at)',
  'toUnixTimestamp64Milli(timestamp)',
  'kind',
  'identifiers.type',
  'identifiers.value',
  'identifiers.hash',
  'payload',
  'arrayMap((purpose, state, time, source, policy) -> (purpose, state, toUnixTimestamp64Milli(time), source, policy), consents.purpose, consents.state, consents.time, consents.source, consents.policy_version)',
  'currency',
  'arrayZip(definitions.definition, definitions.version)',
  'generation',
  'toString(profile_id)',
  'mapping_version',
  'kafka_partition',
  'if(generation = 0, -1, toInt64(kafka_offset))',
] as const;
type Row = readonly [
  message_id: string,
  type: string,
  event: string | null,
  source: string,
  anonymous_id: string | null,
  received_at: number,
  timestamp: number,
  kind: string,
  types: readonly string[],
  values: readonly string[],
  hashes: readonly string[],
  payload: string,
  consents: readonly (readonly [string, string, number, string, string | null])[],
  currency: string,
  definitions: readonly (readonly [string, number])[],
  generation: number,
  profile_id: string,
  mapping_version: number,
  partition: number,
  offset: number,
];

const eventOf = (row: Row): LoggedEvent => {
  const [message_id, type, event, source, anonymous_id, received_at, timestamp, kind, types, values, hashes, payload] =
    row;
  return {
    message_id,
    type,
    event,
    source,
    anonymous_id,
    received_at,
    timestamp,
    kind,
    identifiers: types.map((one, n) => ({ type: one, value: values[n] as string, hash: hashes[n] as string })),
    payload,
    consents: row[12].map(([purpose, state, time, by, policy_version]) => ({
      purpose,
      state,
      time,
      source: by,
      policy_version,
    })),
    currency: row[13],
    definitions: row[14].map(([definition, version]) => ({ definition, version })),
    generation: row[15],
    profile_id: row[16],
    mapping_version: row[17],
    partition: row[18],
    offset: row[19],
  };
};

/** Generation 0: an earlier Kafka's, whose offsets mean nothing any more (deploy/restore). */
const BELOW = '(generation = 0 OR kafka_offset < ({below:Array(UInt64)})[kafka_partition + 1])';

const SPACE = 1n << 128n;

/** Where a slice of the space of hashes begins; the last ends beyond all of them. */
const edgeOf = (slice: number, slices: number): string =>
  slice >= slices ? 'g' : ((SPACE * BigInt(slice)) / BigInt(slices)).toString(16).padStart(32, '0');
