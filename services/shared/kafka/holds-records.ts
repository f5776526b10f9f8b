import type { KafkaClient } from './client.ts';
import { readPartitions } from './read-partitions.ts';

/** Offsets of a partition: from the first, below the last. */
export interface OffsetRange {
  readonly partition: number;
  readonly from: number;
  readonly below: number;
}

/**
 * Whether a topic has committed records in any of these ranges. Offsets do not tell: behind the last record there may be markers of
 * transactions, which no reader's position passes before the next record comes.
 * @param isCounted of a value: records without are looked over
 */
export async function holdsRecords(
  kafka: KafkaClient,
  topic: string,
  ranges: readonly OffsetRange[],
  isCounted: (value: Buffer | null) => boolean = () => true,
): Promise<boolean> {
  const open = new Map(ranges.filter(({ from, below }) => from < below).map((range) => [range.partition, range]));
  if (open.size === 0) return false;
  const found = Promise.withResolvers<boolean>();
  found.promise.catch(() => undefined);
  const reader = await readPartitions(kafka, [topic], {
    from: new Map([...open].map(([partition, { from }]) => [`${topic}/${partition}`, from])),
    partitions: [...open.keys()],
    onLost: found.reject,
    onBatch: ({ partition, messages }) => {
      const below = open.get(partition)?.below ?? 0;
      if (messages.some(({ offset, value }) => Number(offset) < below && isCounted(value))) found.resolve(true);
    },
  });
  try {
    return await Promise.race([reader.caughtUp().then(() => false), found.promise]);
  } finally {
    await reader.stop();
  }
}
