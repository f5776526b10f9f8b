import type { RecordName, Records } from '#schemas/generated/records.ts';
import { type Topic, topics } from '#schemas/topics.ts';
import { readPartitions } from '#shared/kafka/read-partitions.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import type { Connections } from '../connections.ts';
import type { Speech } from '../output.ts';
import { accepted, isWanted, lineOf, type PassingEvent, rejected, stitched } from '../passing-event.ts';
import { Trouble } from '../trouble.ts';

/** Shows events as they pass, from now on, until it is interrupted or nobody reads on. */
export async function tail(connections: Connections, _: readonly string[], { json, say }: Speech): Promise<undefined> {
  const { kafka, codecs, prefix } = await connections.home();
  const { source, event, rejected: onlyRejected } = connections.settings;
  const wanted = { source: source || undefined, event: event || undefined, rejected: onlyRejected };
  const passingIn = async <N extends RecordName>(
    topic: Topic & { readonly value: N },
    of: (v: Records[N]) => PassingEvent,
  ) => {
    const codec = await codecs.ofTopic(prefix + topic.name, topic.value);
    return async (values: readonly (Buffer | null)[]): Promise<PassingEvent[]> => {
      await codec.prepare(values);
      return values.flatMap((value) => (value ? [of(codec.decode(value))] : []));
    };
  };
  const passing = new Map([
    [prefix + topics.eventsCollected.name, await passingIn(topics.eventsCollected, accepted)],
    [prefix + topics.eventsStitched.name, await passingIn(topics.eventsStitched, stitched)],
    [prefix + topics.eventsRejected.name, await passingIn(topics.eventsRejected, rejected)],
  ]);

  const admin = await connections.kafka();
  const from = new Map<string, number>();
  for (const topic of passing.keys())
    for (const { partition, high } of await topicOffsets(admin, topic)) from.set(`${topic}/${partition}`, high);

  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => undefined);
  process.once('SIGINT', () => ended.resolve());
  process.once('SIGTERM', () => ended.resolve());
  // `tributary tail | head`: whoever has seen enough goes away.
  process.stdout.on('error', () => ended.resolve());
  const reader = await readPartitions(kafka, [...passing.keys()], {
    from,
    onBatch: async ({ topic, messages }) => {
      const events = (await passing.get(topic)?.(messages.map(({ value }) => value))) ?? [];
      for (const one of events) if (isWanted(one, wanted)) say(json ? JSON.stringify(one) : lineOf(one));
    },
    onLost: (error) => ended.reject(new Trouble(`the events were lost sight of: ${error.message}`, 'start it again')),
  });
  if (!json) process.stderr.write('events from now on, until Ctrl-C\n');
  try {
    await ended.promise;
  } finally {
    await reader.stop();
  }
  return undefined;
}
