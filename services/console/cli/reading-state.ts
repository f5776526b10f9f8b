import { topics } from '#schemas/topics.ts';
import { CLICKHOUSE, type Reading, type ReadingState } from '#shared/accounting/balance.ts';
import { askedAgain } from '#shared/kafka/asked-again.ts';
import type { Admin, KafkaClient } from '#shared/kafka/client.ts';
import { holdsRecords } from '#shared/kafka/holds-records.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';

const compacted: ReadonlySet<string> = new Set(
  Object.values(topics).flatMap(({ name, cleanup }) => (cleanup === 'compact' ? [name] : [])),
);

/**
 * How a topic is for one of its readers. Where nothing can have been taken away, counts say more than positions: then nobody looks.
 * @param positions of a task, by partition
 */
export async function readingState(
  { kafka, admin, prefix }: { readonly kafka: KafkaClient; readonly admin: Admin; readonly prefix: string },
  { reader, topic }: Reading,
  positions: ReadonlyMap<number, number>,
): Promise<ReadingState> {
  const name = prefix + topic;
  // Such as that of a destination that is no more.
  if (!(await admin.listTopics()).includes(name)) return { reader, topic, isIncomplete: true, isBehind: false };
  const bounds = await topicOffsets(admin, name);
  const isIncomplete = compacted.has(topic) || bounds.some(({ low }) => low > 0);
  if (!isIncomplete) return { reader, topic, isIncomplete, isBehind: false };
  const reached = new Map(positions);
  if (reader === CLICKHOUSE) {
    const groupId = `${prefix}clickhouse.${topic}`;
    const [group] = await askedAgain(() => admin.fetchOffsets({ groupId, topics: [name] }));
    for (const { partition, offset } of group?.partitions ?? []) reached.set(partition, Number(offset));
  }
  const ranges = bounds.map(({ partition, low, high }) => {
    const from = Math.min(Math.max(reached.get(partition) ?? low, low), high);
    return { partition, from, below: Number.POSITIVE_INFINITY };
  });
  return { reader, topic, isIncomplete, isBehind: await holdsRecords(kafka, name, ranges) };
}
