import { byTopic } from '#shared/kafka/by-topic.ts';
import type { Producer } from '#shared/kafka/client.ts';
import { inChunks, type OutRecord } from '#shared/kafka/in-chunks.ts';
import type { Change } from './disk-state.ts';
import type { EncodedBatch } from './encode-batch.ts';
import { LostInfrastructure } from './errors.ts';
import { storeCodec, type TaskSurroundings, TOTALS } from './surroundings.ts';

/** What has been committed, for the local state to follow. */
export interface Committed {
  readonly changes: readonly Change[];
  /** Offset of the last of them in the changelog. */
  readonly offset: number;
}

type Around = Pick<TaskSurroundings, 'changelog' | 'accounting' | 'books' | 'groupId' | 'storeCodecs'>;

/**
 * One Kafka transaction: outputs, changelog, accounting, offsets. All of it, or nothing.
 * @param now written into the records of changelog and accounting, milliseconds
 * @throws LostInfrastructure when it is not known to be committed: the partition must be taken over anew
 */
export async function transact(
  producer: Producer,
  batch: EncodedBatch,
  partition: number,
  now: number,
  around: Around,
): Promise<Committed> {
  const { changelog, accounting, books, groupId } = around;
  const codec = storeCodec(around, TOTALS);
  const changes: Change[] = [
    ...batch.changes,
    ...batch.totals.map((value): Change => ({ store: TOTALS, key: value.topic, value, bytes: codec.encode(value) })),
  ];
  const out: OutRecord[] = [...batch.records];
  for (const value of batch.totals) {
    const key = `${books}${value.service}/${value.task}/${value.topic}/${value.partition}`;
    out.push({ topic: accounting.topic, partition: 0, key, value: accounting.codec.encode(value), timestamp: now });
  }
  for (const { store, key, bytes } of changes)
    out.push({ topic: changelog, partition, key: `${store}/${key}`, value: bytes, timestamp: now });
  let offset = 0;
  try {
    const transaction = await producer.transaction();
    try {
      const topics = [...batch.positions].map(([topic, next]) => ({
        topic,
        partitions: [{ partition, offset: String(next) }],
      }));
      const send = async (): Promise<void> => {
        for (const chunk of inChunks(out)) {
          const answers = await transaction.sendBatch({ acks: -1, topicMessages: byTopic(chunk) });
          const logged = chunk.filter(({ topic }) => topic === changelog).length;
          const answer = answers.find(({ topicName }) => topicName === changelog);
          if (logged > 0 && answer) offset = Number(answer.baseOffset) + logged - 1;
        }
      };
      const offsets = topics.length > 0 ? [transaction.sendOffsets({ consumerGroupId: groupId, topics })] : [];
      await allOf([send(), ...offsets]);
      await transaction.commit();
    } catch (error) {
      await transaction.abort().catch(() => undefined);
      throw error;
    }
  } catch (error) {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new LostInfrastructure(`transaction failed: ${reason}`, { cause: error });
  }
  return { changes, offset };
}

/** Waits for all of them, whatever becomes of any: an abort must not overtake what is still under way. */
async function allOf(promises: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(promises)) if (outcome.status === 'rejected') throw outcome.reason;
}
