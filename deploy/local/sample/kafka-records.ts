import type { RecordName, Records } from '#schemas/generated/records.ts';
import type { Topic } from '#schemas/topics.ts';
import type { KafkaClient } from '#shared/kafka/client.ts';
import type { Codecs } from '#shared/kafka/codec.ts';
import { type Reader, readPartitions } from '#shared/kafka/read-partitions.ts';

/** How to reach an installation's topics. */
export interface Installation {
  readonly kafka: KafkaClient;
  readonly codecs: Codecs;
  readonly prefix: string;
  readonly generation: number;
}

export interface KafkaRecord<V> {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: V | null;
}

/** Every committed record of a topic, in order within its partition, and on as they come. Resolves when those of now are read. */
export async function followRecords<N extends RecordName>(
  { kafka, codecs, prefix }: Installation,
  topic: Topic & { readonly value: N },
  onRecord: (record: KafkaRecord<Records[N]>) => void,
  onLost: (error: Error) => void,
): Promise<Reader> {
  const name = prefix + topic.name;
  const codec = await codecs.ofTopic(name, topic.value);
  const reader = await readPartitions(kafka, [name], {
    onLost,
    onBatch: async ({ partition, messages }) => {
      await codec.prepare(messages.map(({ value }) => value));
      for (const { offset, key, value } of messages)
        onRecord({ partition, offset: Number(offset), key: String(key), value: value && codec.decode(value) });
    },
  });
  await reader.caughtUp();
  return reader;
}

/** Every committed record that a topic holds now. */
export async function readRecords<N extends RecordName>(
  installation: Installation,
  topic: Topic & { readonly value: N },
): Promise<KafkaRecord<Records[N]>[]> {
  const records: KafkaRecord<Records[N]>[] = [];
  const reader = await followRecords(
    installation,
    topic,
    (record) => records.push(record),
    () => undefined,
  );
  await reader.stop();
  return records;
}
