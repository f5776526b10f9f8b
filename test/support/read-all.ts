import type { Accounting, RecordName, Records } from '#schemas/generated/records.ts';
import { accountingTopic, type Topic } from '#schemas/topics.ts';
import { readPartitions } from '#shared/kafka/read-partitions.ts';
import type { Installation } from './installation.ts';

export interface ReadRecord<V> {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: V | null;
}

/** Every committed record that a topic holds now. */
export async function readAll<N extends RecordName>(
  installation: Installation,
  topic: Topic & { readonly value: N },
): Promise<ReadRecord<Records[N]>[]> {
  const name = installation.prefix + topic.name;
  const codec = await installation.codecs.ofTopic(name, topic.value);
  const records: ReadRecord<Records[N]>[] = [];
  const reader = await readPartitions(installation.kafka, [name], {
    onLost: (error) => {
      throw error;
    },
    onBatch: async ({ partition, messages }) => {
      await codec.prepare(messages.map((message) => message.value));
      for (const { offset, key, value } of messages) {
        records.push({ partition, offset: Number(offset), key: String(key), value: value && codec.decode(value) });
      }
    },
  });
  await reader.caughtUp();
  await reader.stop();
  return records;
}

/** Of each key the last value. */
export async function newestOf<N extends RecordName>(
  installation: Installation,
  topic: Topic & { readonly value: N },
): Promise<Map<string, Records[N] | null>> {
  return new Map((await readAll(installation, topic)).map(({ key, value }) => [key, value]));
}

/** What the tasks of the first generation have counted so far, by partition and topic. */
export const accountingOf = async (installation: Installation): Promise<Accounting[]> =>
  [...(await newestOf(installation, accountingTopic(1))).values()].filter((one) => one !== null);
