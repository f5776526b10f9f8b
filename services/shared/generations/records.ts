import { randomUUID } from 'node:crypto';
import type { Generation } from '#schemas/generated/records.ts';
import { generationsTopic } from '#schemas/topics.ts';
import type { Authorship } from '#shared/definitions/changes.ts';
import type { KafkaClient } from '#shared/kafka/client.ts';
import type { Codecs } from '#shared/kafka/codec.ts';
import { inTurn } from '#shared/kafka/in-turn.ts';
import { readPartitions } from '#shared/kafka/read-partitions.ts';
import { type Decided, decide, type Generations, generationsAmong, type Wish } from './lifecycle.ts';

/** Where the records of generations are kept. */
export interface GenerationsHome {
  readonly kafka: KafkaClient;
  readonly codecs: Codecs;
  readonly prefix: string;
  /** The one that is live where no record says otherwise: the setting GENERATION. */
  readonly generation: number;
}

/** In its header: the call that wrote a record. */
const WRITTEN_BY = 'written-by';

/** All generations as they are now. */
export const readGenerations = (home: GenerationsHome): Promise<Generations> =>
  following(home, async ({ read }) => (await read()).all);

/** Carries a wish out, on top of what others have left; two that begin one at once have two numbers. */
export function changeGenerations(home: GenerationsHome, wish: Wish, authorship: Authorship): Promise<Decided> {
  const id = randomUUID();
  return following(home, async ({ read, topic, codec }) => {
    let sent: Decided | undefined;
    return inTurn(home.kafka, `${home.prefix}generations-writer`, async (transaction) => {
      const { all, writers } = await read();
      // The attempt before went wrong only after it was committed.
      if (sent && writers.has(id)) return { result: sent, keep: false };
      const decided = decide(all, wish, authorship);
      const records = 'records' in decided ? decided.records : [];
      if (records.length === 0) return { result: decided, keep: false };
      sent = decided;
      const messages = records.map((record) => ({
        key: String(record.generation),
        value: codec.encode(record),
        headers: { [WRITTEN_BY]: id },
        timestamp: String(record.changed_at),
      }));
      await transaction.send({ topic, acks: -1, messages });
      return { result: decided, keep: true };
    });
  });
}

interface Followed {
  readonly topic: string;
  readonly codec: Awaited<ReturnType<typeof codecOf>>;
  /** What the topic holds now. */
  read(): Promise<{ readonly all: Generations; readonly writers: ReadonlySet<string> }>;
}

const codecOf = ({ codecs, prefix }: GenerationsHome) =>
  codecs.ofTopic(prefix + generationsTopic.name, generationsTopic.value);

async function following<T>(home: GenerationsHome, work: (followed: Followed) => Promise<T>): Promise<T> {
  const topic = home.prefix + generationsTopic.name;
  const codec = await codecOf(home);
  const newest = new Map<string, Generation>();
  const writers = new Set<string>();
  const reader = await readPartitions(home.kafka, [topic], {
    async onBatch({ messages }) {
      await codec.prepare(messages.map(({ value }) => value));
      for (const { key, value, headers } of messages) {
        writers.add(String(headers?.[WRITTEN_BY]));
        if (value) newest.set(String(key), codec.decode(value));
        else newest.delete(String(key));
      }
    },
  });
  try {
    const read: Followed['read'] = async () => {
      await reader.caughtUp();
      return { all: generationsAmong(newest.values(), home.generation), writers };
    };
    return await work({ topic, codec, read });
  } finally {
    await reader.stop();
  }
}
