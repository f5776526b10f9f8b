import type { RecordName, Records } from '#schemas/generated/records.ts';
import type { Topic } from '#schemas/topics.ts';
import type { KafkaClient } from '#shared/kafka/client.ts';
import type { Codecs } from '#shared/kafka/codec.ts';
import { readPartitions } from '#shared/kafka/read-partitions.ts';

/** Calls back with every committed record that a topic holds now, in order within a partition; null is a tombstone. */
export async function readTopic<N extends RecordName>(
  { kafka, codecs, prefix }: { readonly kafka: KafkaClient; readonly codecs: Codecs; readonly prefix: string },
  topic: Topic & { readonly value: N },
  onRecord: (key: string, value: Records[N] | null) => void,
): Promise<void> {
  const name = prefix + topic.name;
  const codec = await codecs.ofTopic(name, topic.value);
  const reader = await readPartitions(kafka, [name], {
    onBatch: async ({ messages }) => {
      await codec.prepare(messages.map(({ value }) => value));
      for (const { key, value } of messages) onRecord(String(key), value && codec.decode(value));
    },
  });
  try {
    await reader.caughtUp();
  } finally {
    await reader.stop();
  }
}
