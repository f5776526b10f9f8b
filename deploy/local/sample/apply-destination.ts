import type { Definition } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { type Installation, readRecords } from './kafka-records.ts';

/** Defines a destination, unless it is defined just so. */
export async function applyDestination(installation: Installation, name: string, body: unknown): Promise<void> {
  const text = JSON.stringify(definitionKinds.destination.parse(body));
  const key = `destination/${name}`;
  const before = (await readRecords(installation, topics.definitions)).findLast((record) => record.key === key)?.value;
  if (before && before.body === text && !before.deleted) return;
  const topic = installation.prefix + topics.definitions.name;
  const codec = await installation.codecs.ofTopic(topic, 'Definition');
  const value: Definition = {
    kind: 'destination',
    name,
    version: (before?.version ?? 0) + 1,
    body: text,
    actor: 'npm start',
    reason: 'the sample',
    at: Date.now(),
    deleted: false,
  };
  const producer = installation.kafka.producer({ idempotent: true });
  await producer.connect();
  await producer.send({ topic, acks: -1, messages: [{ key, value: codec.encode(value) }] });
  await producer.disconnect();
}
