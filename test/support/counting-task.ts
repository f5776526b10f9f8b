import type { EventCollected } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import { defineTask, type Task } from '#shared/task/task.ts';
import type { Installation } from './installation.ts';

/**
 * A small task that shows any loss or repetition: it numbers the events of each key, from its store, and puts each out with its
 * number. Right output: for every key the numbers 1, 2, 3 … once each.
 */
export const countingTask = (trouble: (event: EventCollected) => void = () => {}) =>
  defineTask({
    name: 'counter',
    inputs: { event: topics.eventsCollected },
    outputs: { stitched: topics.eventsStitched },
    stores: { count: { record: 'Resolution' } },
    process(inputs, work) {
      for (const input of inputs) {
        if (!input.value) {
          work.settle(input, 'tombstone');
          continue;
        }
        trouble(input.value);
        const version = (work.get('count', input.key)?.version ?? 0) + 1;
        work.put('count', input.key, { profile_id: '', version, generation: 1 });
        work.emit(
          'stitched',
          input.key,
          { ...input.value, profile_id: input.key, mapping_version: version },
          input.timestamp,
        );
        work.settle(input, 'stitched');
      }
    },
  }) as Task;

export const anEvent = (messageId: string): EventCollected => ({
  message_id: messageId,
  type: 'track',
  event: 'Tested',
  source: 'test',
  user_id: null,
  anonymous_id: null,
  original_timestamp: 0,
  sent_at: null,
  received_at: 1_700_000_000_000,
  timestamp: 0,
  flags: [],
  kind: 'person',
  identifiers: [],
  payload: '{}',
  ip: null,
  enrichment: '{}',
  consents: [],
  currency: 'USD',
  definitions: [],
  generation: 1,
});

/** Produces events with keys `k0` … in turn. @returns how many */
export async function produceEvents(installation: Installation, from: number, count: number, keys = 20): Promise<void> {
  const topic = installation.prefix + topics.eventsCollected.name;
  const codec = await installation.codecs.ofTopic(topic, 'EventCollected');
  const producer = installation.kafka.producer({ idempotent: true });
  await producer.connect();
  for (let i = from; i < from + count; i += 500) {
    const messages = Array.from({ length: Math.min(500, from + count - i) }, (_, j) => ({
      key: `k${(i + j) % keys}`,
      value: codec.encode(anEvent(`m${i + j}`)),
    }));
    await producer.send({ topic, acks: -1, messages });
  }
  await producer.disconnect();
}
