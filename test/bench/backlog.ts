import type { RecordName, Records } from '#schemas/generated/records.ts';
import type { Topic } from '#schemas/topics.ts';
import { partitionOf } from '#shared/kafka/partition-of.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import type { Ground } from './ground.ts';

/** Beyond the megabyte that Kafka takes for a partition, a send fails. */
const IN_A_SEND = 1_000;

/** Writes records to a topic as their owner would. */
export interface Writer<N extends RecordName> {
  write(values: Iterable<Records[N]>): Promise<void>;
  close(): Promise<void>;
}

export async function openWriter<N extends RecordName>(
  { installation }: Ground,
  topic: Topic & { readonly value: N },
  keyOf: (value: Records[N]) => string,
  partitions?: number,
): Promise<Writer<N>> {
  const { admin, codecs, kafka, prefix } = installation;
  const name = prefix + topic.name;
  const codec = await codecs.ofTopic(name, topic.value);
  const count = partitions ?? (await topicOffsets(admin, name)).length;
  const producer = kafka.producer({ idempotent: true });
  await producer.connect();
  return {
    async write(values) {
      let messages: { key: string; partition: number; value: Buffer }[] = [];
      const send = async (): Promise<void> => {
        if (messages.length > 0) await producer.send({ topic: name, acks: -1, messages });
        messages = [];
      };
      for (const value of values) {
        const key = keyOf(value);
        messages.push({ key, partition: partitionOf(key, count), value: codec.encode(value as never) });
        if (messages.length >= IN_A_SEND) await send();
      }
      await send();
    },
    close: () => producer.disconnect(),
  };
}

/** Writes records before anybody reads. */
export async function writeBacklog<N extends RecordName>(
  ground: Ground,
  topic: Topic & { readonly value: N },
  values: Iterable<Records[N]>,
  keyOf: (value: Records[N]) => string,
  partitions?: number,
): Promise<void> {
  const writer = await openWriter(ground, topic, keyOf, partitions);
  await writer.write(values);
  await writer.close();
}
