import type { RecordName, Records } from '#schemas/generated/records.ts';
import { type Topic, topics } from '#schemas/topics.ts';
import type { KafkaClient } from '#shared/kafka/client.ts';
import type { Codecs } from '#shared/kafka/codec.ts';
import { type Reader, readPartitions } from '#shared/kafka/read-partitions.ts';
import {
  accepted,
  changedProfile,
  decided,
  type Passing,
  type PassingEvent,
  rejected,
  stitched,
} from '../core/passing.ts';

interface Watched<T> {
  readonly topic: Topic;
  /** What is seen of the values of some records: tombstones are not. */
  decoderOf(codecs: Codecs, topic: string): Promise<(values: readonly (Buffer | null)[]) => Promise<T[]>>;
}

const watched = <N extends RecordName, T>(
  topic: Topic & { readonly value: N },
  shown: (value: Records[N]) => T | undefined,
): Watched<T> => ({
  topic,
  async decoderOf(codecs, name) {
    const codec = await codecs.ofTopic(name, topic.value);
    return async (values) => {
      await codec.prepare(values);
      return values.flatMap((value) => (value && shown(codec.decode(value))) ?? []);
    };
  },
});

/** What happens to events: accepted, stitched, rejected. */
export const events: readonly Watched<PassingEvent>[] = [
  watched(topics.eventsCollected, accepted),
  watched(topics.eventsStitched, stitched),
  watched(topics.eventsRejected, rejected),
];

/** The same, and what follows: new versions of profiles, and decisions about identifiers. */
export const everything: readonly Watched<Passing>[] = [
  ...events,
  watched(topics.profiles, changedProfile),
  watched(topics.identityChanges, decided),
];

export interface Watcher<T> {
  /** @param leftOut how many records before these were not even decoded */
  readonly onPassing: (passing: readonly T[], leftOut: number) => void;
  /** Called once when it cannot go on. */
  readonly onLost: (error: Error) => void;
  /** How many of so many records of a topic may be shown, the last ones; all unless told. */
  readonly most?: (topic: Topic, count: number) => number;
}

/** Shows what passes on these topics from the moment on in which this resolves, until it is stopped. */
export async function watch<T>(
  { kafka, codecs, prefix }: { readonly kafka: KafkaClient; readonly codecs: Codecs; readonly prefix: string },
  what: readonly Watched<T>[],
  { onPassing, onLost, most = (_, count) => count }: Watcher<T>,
): Promise<Reader> {
  const named = what.map(async ({ topic, decoderOf }) => {
    const name = prefix + topic.name;
    return [name, { topic, decode: await decoderOf(codecs, name) }] as const;
  });
  const decoders = new Map(await Promise.all(named));
  return readPartitions(kafka, [...decoders.keys()], {
    from: 'now',
    onLost,
    onBatch: async (batch) => {
      const decoder = decoders.get(batch.topic);
      if (!decoder) return;
      const leftOut = batch.messages.length - most(decoder.topic, batch.messages.length);
      onPassing(await decoder.decode(batch.messages.slice(leftOut).map(({ value }) => value)), leftOut);
    },
  });
}
