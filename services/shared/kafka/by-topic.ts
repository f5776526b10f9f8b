import type { OutRecord } from './in-chunks.ts';

/** Records as kafkajs wants them for one send. */
export function byTopic(records: readonly OutRecord[]) {
  const topics = new Map<string, { key: string; value: Buffer | null; partition: number; timestamp: string }[]>();
  for (const { topic, key, value, partition, timestamp } of records) {
    const messages = topics.get(topic) ?? [];
    if (messages.length === 0) topics.set(topic, messages);
    messages.push({ key, value, partition, timestamp: String(timestamp) });
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}
