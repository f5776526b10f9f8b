import type { ClickHouseClient } from '@clickhouse/client';
import { topics } from '#schemas/topics.ts';
import type { Admin, KafkaClient } from '#shared/kafka/client.ts';
import { holdsRecords } from '#shared/kafka/holds-records.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import type { History, LoggedEvent } from '../backfill.ts';

interface Row extends Omit<LoggedEvent, 'routing'> {
  readonly routing_type: string;
  readonly routing_value: string;
  readonly routing_hash: string;
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

  async reaches(below: readonly number[]): Promise<boolean> {
    const admin = this.#kafka.admin();
    await admin.connect();
    try {
      if (!(await this.#hasRead(admin, topics.eventsStitched.name, below))) return false;
      const expiries = await topicOffsets(admin, this.#prefix + topics.profileExpiries.name);
      const ends = expiries.toSorted((a, b) => a.partition - b.partition).map(({ high }) => high);
      return await this.#hasRead(admin, topics.profileExpiries.name, ends);
    } finally {
      await admin.disconnect();
    }
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
    return !(await holdsRecords(this.#kafka, topic, ranges));
  }

  async count(below: readonly number[]): Promise<number> {
    const result = await this.#clickhouse().query({
      query: `SELECT toUInt32(count()) AS count FROM {database:Identifier}.events_log WHERE ${BELOW}`,
      query_params: { database: this.#database, below },
      format: 'JSONEachRow',
    });
    return (await result.json<{ count: number }>())[0]?.count ?? 0;
  }

  async *slice(below: readonly number[], slice: number, slices: number): AsyncGenerator<LoggedEvent> {
    const result = await this.#clickhouse().query({
      query: `SELECT identifiers.type[1] AS routing_type, identifiers.value[1] AS routing_value, toString(routing) AS routing_hash,
          type, event, source, message_id, toUnixTimestamp64Milli(timestamp) AS timestamp, toUnixTimestamp64Milli(received_at) AS received_at, payload, toString(profile_id) AS profile_id,
          mapping_version, kafka_partition AS partition, kafka_offset AS offset
        FROM {database:Identifier}.events_log AS log FINAL
        LEFT JOIN (
          SELECT hash, max(until) AS forgotten FROM {database:Identifier}.profile_expiries_log
          WHERE hash >= {from:String} AND hash < {to:String} GROUP BY hash
        ) AS expiry ON log.routing = expiry.hash
        WHERE (received_at > forgotten OR expiry.hash = '') AND routing >= {from:String} AND routing < {to:String} AND ${BELOW}`,
      query_params: { database: this.#database, below, from: edgeOf(slice, slices), to: edgeOf(slice + 1, slices) },
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
      format: 'JSONEachRow',
    });
    for await (const rows of result.stream<Row>()) {
      for (const row of rows) {
        const { routing_type: type, routing_value: value, routing_hash: hash, ...event } = row.json();
        yield { ...event, routing: { type, value, hash } };
      }
    }
  }
}

const BELOW = 'kafka_offset < ({below:Array(UInt64)})[kafka_partition + 1]';

const SPACE = 1n << 128n;

/** Where a slice of the space of hashes begins; the last ends beyond all of them. */
const edgeOf = (slice: number, slices: number): string =>
  slice >= slices ? 'g' : ((SPACE * BigInt(slice)) / BigInt(slices)).toString(16).padStart(32, '0');
