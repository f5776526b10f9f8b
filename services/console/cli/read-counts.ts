import type { EventRejected } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import { balanceOf, type Counts, type Rejections } from '#shared/accounting/balance.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import type { Connections } from './connections.ts';
import { readTopic } from './read-topic.ts';
import { readingState } from './reading-state.ts';

type Row = Counts['accounting'][number];
type Numbers = Readonly<Record<string, number | string>>;

/** Counts everything where it happens and in ClickHouse. @param deep counts rejected records in Kafka, too: reads them all */
export async function readCounts(connections: Connections, deep = false): Promise<Counts> {
  const { prefix, generation } = connections.settings;
  const admin = await connections.kafka();
  // The collector writes without transactions: every offset is a record.
  const written = await topicOffsets(admin, prefix + topics.eventsCollected.name);
  const accounting = await connections.rows<
    Row & { readonly next: string; readonly outcomes: Numbers; readonly outputs: Numbers }
  >(
    'SELECT service, task, topic, partition, toString(next) AS next, toString(taken) AS taken, outcomes, outputs, generation FROM accounting',
  );
  // What is of generation 0 was counted by an earlier Kafka.
  const [totals] = await connections.rows<{
    collected: string;
    events: string;
    profile_events: string;
    live: number;
  }>(
    `SELECT toString((SELECT uniqExact(kafka_partition, kafka_offset) FROM collected)) AS collected, toString((SELECT count() FROM events_log FINAL WHERE generation > 0)) AS events,
       toString((SELECT sum(events) FROM profiles)) AS profile_events,
       toUInt32((SELECT argMax(generation, edition) FROM generations_now)) AS live`,
  );
  const rejected = await connections.rows<{ stage: string; reason: string; count: string }>(
    'SELECT stage, reason, toString(count()) AS count FROM rejected_log FINAL WHERE generation > 0 GROUP BY stage, reason ORDER BY stage, reason',
  );
  const deliveries = await connections.rows<{ outcome: string; count: string }>(
    'SELECT outcome, toString(count()) AS count FROM deliveries_log FINAL WHERE generation > 0 GROUP BY outcome',
  );
  const rejections = deep ? await topicOffsets(admin, prefix + topics.eventsRejected.name) : [];
  const counts: Counts = {
    prefix,
    generation,
    accepted: written.reduce((sum, { high }) => sum + high, 0),
    accounting: accounting.map((row) => ({
      ...row,
      taken: Number(row.taken),
      outcomes: numbers(row.outcomes),
      outputs: numbers(row.outputs),
    })),
    rejectedRecords: deep ? await rejectedRecords(connections) : undefined,
    live: totals?.live || undefined,
    haveRejectedExpired: rejections.some(({ low }) => low > 0),
    clickhouse: {
      collected: Number(totals?.collected ?? 0),
      events: Number(totals?.events ?? 0),
      profileEvents: Number(totals?.profile_events ?? 0),
      rejected: rejected.map((one) => ({ ...one, count: Number(one.count) })),
      deliveries: Object.fromEntries(deliveries.map(({ outcome, count }) => [outcome, Number(count)])),
    },
  };
  const { short } = balanceOf(counts);
  if (short.length === 0) return counts;
  const { kafka } = await connections.home();
  const readings = short.map((reading) => {
    const rows = accounting.filter(
      (row) => row.generation === generation && row.task === reading.reader && row.topic === prefix + reading.topic,
    );
    const positions = new Map(rows.map(({ partition, next }) => [partition, Number(next)]));
    return readingState({ kafka, admin, prefix }, reading, positions);
  });
  return { ...counts, readings: await Promise.all(readings) };
}

async function rejectedRecords(connections: Connections): Promise<Rejections[]> {
  const counts = new Map<string, { stage: string; reason: string; count: number }>();
  await readTopic(await connections.home(), topics.eventsRejected, (_, value: EventRejected | null) => {
    if (!value) return;
    const { stage, reason } = value;
    const before = counts.get(`${stage}: ${reason}`);
    counts.set(`${stage}: ${reason}`, { stage, reason, count: (before?.count ?? 0) + 1 });
  });
  return [...counts.values()].sort((a, b) => (`${a.stage}: ${a.reason}` < `${b.stage}: ${b.reason}` ? -1 : 1));
}

const numbers = (map: Numbers): Record<string, number> =>
  Object.fromEntries(Object.entries(map).map(([name, value]) => [name, Number(value)]));
