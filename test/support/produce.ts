import type { Records } from '#schemas/generated/records.ts';
import type { Topic } from '#schemas/topics.ts';
import type { Installation } from './installation.ts';

/** Writes records of a topic as its owner would. Raw bytes go in as they are. */
export async function produce<T extends Topic>(
  installation: Installation,
  topic: T,
  records: readonly { readonly key: string; readonly value: Records[T['value']] | Buffer | null }[],
): Promise<void> {
  const name = installation.prefix + topic.name;
  const codec = await installation.codecs.ofTopic(name, topic.value);
  const producer = installation.kafka.producer({ idempotent: true });
  await producer.connect();
  const messages = records.map(({ key, value }) => ({
    key,
    value: value === null || Buffer.isBuffer(value) ? value : codec.encode(value as never),
  }));
  await producer.send({ topic: name, acks: -1, messages });
  await producer.disconnect();
}
