import type { RecordName, Records } from '#schemas/generated/records.ts';
import type { Topic } from '#schemas/topics.ts';
import type { KafkaClient } from '#shared/kafka/client.ts';
import type { Codecs } from '#shared/kafka/codec.ts';
import { followTopic } from '../adapters/follow-topic.ts';

/** Calls back with every committed record that a topic holds now, in order within a partition; null is a tombstone. */
export async function readTopic<N extends RecordName>(
  home: { readonly kafka: KafkaClient; readonly codecs: Codecs; readonly prefix: string },
  topic: Topic & { readonly value: N },
  onRecord: (key: string, value: Records[N] | null) => void,
  options: Parameters<typeof followTopic>[2] = {},
): Promise<void> {
  const reader = await followTopic(home, topic, options, onRecord);
  try {
    await reader.caughtUp();
  } finally {
    await reader.stop();
  }
}
