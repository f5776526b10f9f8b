import { topics } from '#schemas/topics.ts';
import { CLICKHOUSE, type Reading, type ReadingState } from '#shared/accounting/balance.ts';
import { askedAgain } from '#shared/kafka/asked-again.ts';
import type { Admin, KafkaClient } from '#shared/kafka/client.ts';
import { readPartitions } from '#shared/kafka/read-partitions.ts';
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
  const from = bounds.map(({ partition, low, high }): [string, number] => [
    `${name}/${partition}`,
    Math.min(Math.max(reached.get(partition) ?? low, low), high),
  ]);
  return { reader, topic, isIncomplete, isBehind: await holdsRecords(kafka, name, new Map(from)) };
}

/** Whether a topic has committed records from these offsets on: behind the last one there may be markers. */
async function holdsRecords(kafka: KafkaClient, topic: string, from: ReadonlyMap<string, number>): Promise<boolean> {
  const found = Promise.withResolvers<boolean>();
  found.promise.catch(() => undefined);
  const reader = await readPartitions(kafka, [topic], {
    from,
    onLost: found.reject,
    onBatch: ({ messages }) => {
      if (messages.length > 0) found.resolve(true);
    },
  });
  try {
    return await Promise.race([reader.caughtUp().then(() => false), found.promise]);
  } finally {
    await reader.stop();
  }
}
