import type { ClickHouseClient } from '@clickhouse/client';
import { topics } from '#schemas/topics.ts';
import { askedAgain } from '#shared/kafka/asked-again.ts';
import type { Admin } from '#shared/kafka/client.ts';
import { type Bounds, topicOffsets } from '#shared/kafka/topic-offsets.ts';
import { BackOff } from '#shared/service/back-off.ts';
import { readMigrations } from '../clickhouse/migrate.ts';
import { filledIn, type Surroundings } from '../clickhouse/migrations.ts';

/** A table by which ClickHouse reads a topic. */
export interface Reading {
  /** With its database. */
  readonly table: string;
  /** With the prefix. */
  readonly topic: string;
  readonly group: string;
}

/** What is read again of one topic. */
export interface ReadAgain extends Reading {
  /** Records to read, markers of transactions included. */
  readonly records: number;
  /** At most so many records, markers included, are neither in ClickHouse nor in Kafka any more. */
  readonly lost: number;
}

/** Tables that say of each row where it was in its topic, by the topic's name; the topics are those that forget. */
const tablesByTopic: Readonly<Record<string, string>> = {
  [topics.eventsCollected.name]: 'collected',
  [topics.eventsStitched.name]: 'events_log',
  [topics.eventsRejected.name]: 'rejected_log',
  [topics.identityChanges.name]: 'identity_changes_log',
};

/** A reader that was killed is a member for so long, and some more. */
const STOPPED_WITHIN_MS = 90_000;

/** As the migrations have them. */
export function readingsOf(around: Surroundings): Reading[] {
  const found = new Map<string, Reading>();
  for (const { statements } of readMigrations(around))
    for (const statement of statements) {
      const table = /^CREATE TABLE IF NOT EXISTS (\S+)/.exec(statement)?.[1];
      const topic = /kafka_topic_list = '([^']+)'/.exec(statement)?.[1];
      const group = /kafka_group_name = '([^']+)'/.exec(statement)?.[1];
      if (table && topic && group) found.set(table, { table, topic, group });
    }
  return [...found.values()];
}

/**
 * Has ClickHouse read again all that Kafka still holds; what comes twice collapses. Where the tables end tells nothing of where to begin:
 * since it was restored it may have read on, beyond what it lacks. When this fails it goes on where it was. Can be run again at any time.
 */
export async function readAgain(admin: Admin, client: ClickHouseClient, around: Surroundings): Promise<ReadAgain[]> {
  const readings = readingsOf(around);
  const all = async (statement: (table: string) => string): Promise<void> => {
    for (const { table } of readings) await client.command({ query: filledIn(statement(table), around) });
  };
  await all((table) => `DETACH TABLE IF EXISTS ${table} {on_cluster} SYNC`);
  try {
    await untilNobodyReads(admin, readings);
    // At the same time: joining a group to set its offsets takes Kafka seconds.
    return await Promise.all(readings.map((reading) => setBack(admin, client, around, reading)));
  } finally {
    await all((table) => `ATTACH TABLE IF NOT EXISTS ${table} {on_cluster}`);
  }
}

/** Offsets can be set only of a group without members. */
async function untilNobodyReads(admin: Admin, readings: readonly Reading[]): Promise<void> {
  const backOff = new BackOff(50, 500);
  for (;;) {
    const { groups } = await askedAgain(() => admin.describeGroups(readings.map(({ group }) => group)));
    const left = groups.filter(({ members }) => members.length > 0).map(({ groupId }) => groupId);
    if (left.length === 0) return;
    if (backOff.failingMs > STOPPED_WITHIN_MS)
      throw new Error(`another ClickHouse reads as ${left.join(', ')}: stop it first`);
    await backOff.failed();
  }
}

async function setBack(
  admin: Admin,
  client: ClickHouseClient,
  around: Surroundings,
  reading: Reading,
): Promise<ReadAgain> {
  const { topic, group } = reading;
  const bounds = await topicOffsets(admin, topic);
  const table = tablesByTopic[topic.slice(around.prefix.length)];
  const ends = table === undefined ? undefined : await endsBelow(client, around, table, bounds);
  await askedAgain(() =>
    admin.setOffsets({
      groupId: group,
      topic,
      partitions: bounds.map(({ partition, low }) => ({ partition, offset: String(low) })),
    }),
  );
  let records = 0;
  let lost = 0;
  for (const { partition, low, high } of bounds) {
    records += high - low;
    lost += ends ? low - (ends.get(partition) ?? 0) : 0;
  }
  return { ...reading, records, lost };
}

/** By partition the offset after the last row that a table has of what Kafka no longer has. */
async function endsBelow(
  client: ClickHouseClient,
  { database }: Surroundings,
  table: string,
  bounds: readonly Bounds[],
): Promise<Map<number, number>> {
  const below = bounds.toSorted((a, b) => a.partition - b.partition).map(({ low }) => low);
  const result = await client.query({
    query: `SELECT kafka_partition AS partition, toString(max(kafka_offset) + 1) AS next FROM {database:Identifier}.{table:Identifier}
      WHERE kafka_offset < ({below:Array(UInt64)})[kafka_partition + 1] GROUP BY kafka_partition`,
    query_params: { database, table, below },
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ partition: number; next: string }>();
  return new Map(rows.map(({ partition, next }) => [partition, Number(next)]));
}
