import type { Message } from 'kafkajs';
import type { OutRecord } from './in-chunks.ts';

/** Records as kafkajs wants them for one send. It asks for times as text, and gets numbers: `produce-request.ts` takes both. */
export function byTopic(records: readonly OutRecord[]): { readonly topic: string; readonly messages: Message[] }[] {
  const topics = new Map<string, OutRecord[]>();
  for (const record of records) {
    const known = topics.get(record.topic);
    if (known) known.push(record);
    else topics.set(record.topic, [record]);
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages: messages as unknown as Message[] }));
}
