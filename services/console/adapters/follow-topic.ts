import type { RecordName, Records } from '#schemas/generated/records.ts';
import type { Topic } from '#schemas/topics.ts';
import type { KafkaClient } from '#shared/kafka/client.ts';
import type { Codecs } from '#shared/kafka/codec.ts';
import { type Reader, type ReadOptions, readPartitions } from '#shared/kafka/read-partitions.ts';

type FollowOptions = Pick<ReadOptions, 'log' | 'onLost' | 'from'> & {
  /** Keys of records that are called back with; others are not even decoded. All when left out. */
  readonly wants?: ((key: string) => boolean) | undefined;
};

/** Calls back with every committed record that a topic holds, and on as they come, in order within a partition; null is a tombstone. */
export async function followTopic<N extends RecordName>(
  { kafka, codecs, prefix }: { readonly kafka: KafkaClient; readonly codecs: Codecs; readonly prefix: string },
  topic: Topic & { readonly value: N },
  { wants = () => true, ...options }: FollowOptions,
  onRecord: (key: string, value: Records[N] | null) => void,
): Promise<Reader> {
  const name = prefix + topic.name;
  const codec = await codecs.ofTopic(name, topic.value);
  return readPartitions(kafka, [name], {
    ...options,
    onBatch: async ({ messages }) => {
      const wanted = messages.flatMap(({ key, value }) => {
        const name = String(key);
        return wants(name) ? [{ name, value }] : [];
      });
      await codec.prepare(wanted.map(({ value }) => value));
      for (const { name, value } of wanted) onRecord(name, value && codec.decode(value));
    },
  });
}
