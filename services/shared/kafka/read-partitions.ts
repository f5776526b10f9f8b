import { randomUUID } from 'node:crypto';
import type { Log } from '#shared/service/log.ts';
import {
  type Admin,
  AssignerProtocol,
  type Consumer,
  type KafkaClient,
  type KafkaMessage,
  type PartitionAssigner,
} from './client.ts';
import { gapBetween } from './gap-between.ts';
import { topicOffsets } from './topic-offsets.ts';

/** Gives every partition of every topic to whoever asks: for readers that share their work with nobody. */
const everythingForMe: PartitionAssigner = ({ cluster }) => ({
  name: 'tributary-everything',
  version: 0,
  async assign({ members, topics }) {
    const assignment = Object.fromEntries(
      topics.map((topic) => [topic, cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)]),
    );
    return members.map(({ memberId }) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: 0, assignment, userData: Buffer.alloc(0) }),
    }));
  },
  protocol: ({ topics }) => ({
    name: 'tributary-everything',
    metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
  }),
});

export interface ReadBatch {
  readonly topic: string;
  readonly partition: number;
  /** Committed records, in order; empty where the log holds only markers or aborted records. */
  readonly messages: readonly KafkaMessage[];
  /** Offset to go on from. */
  readonly next: number;
}

export interface Reader {
  /** Resolves once `onBatch` has seen all that was there when this was called. Rejects when that is lost. */
  caughtUp(): Promise<void>;
  stop(): Promise<void>;
}

export interface ReadOptions {
  readonly from?: ReadonlyMap<string, number> | 'now';
  /** Only these partitions, of every topic. */
  readonly partitions?: readonly number[];
  readonly onBatch: (batch: ReadBatch) => void | Promise<void>;
  /** Called once when it cannot go on. Whoever only waits for `caughtUp` is told by that. */
  readonly onLost?: (error: Error) => void;
  readonly log?: Log;
}

/**
 * Reads topics by itself, without a group's offsets: committed records from given offsets (by `topic/partition`; the log's
 * start where none is given) or only what comes from now on, and on as they come. Calls `onLost` once when it cannot go on: the log no longer has what comes next,
 * or the connection was lost for good. An error thrown by `onBatch` is lost, too. From then on it reads nothing; it is still to be
 * stopped.
 */
export async function readPartitions(
  kafka: KafkaClient,
  topics: readonly string[],
  options: ReadOptions,
): Promise<Reader> {
  const reader = new PartitionReader(kafka, topics, options);
  try {
    await reader.start();
    return reader;
  } catch (error) {
    await reader.stop();
    throw error;
  }
}

class PartitionReader implements Reader {
  readonly #groupId = `tributary-reader-${randomUUID()}`;
  readonly #topics: readonly string[];
  readonly #options: ReadOptions;
  readonly #admin: Admin;
  readonly #consumer: Consumer;
  /** Offset to go on from, by `topic/partition`: only of the partitions that are wanted. */
  readonly #position = new Map<string, number>();
  readonly #unwanted: { topic: string; partitions: number[] }[] = [];
  #waiting: (() => void)[] = [];
  #lost: Error | undefined;
  #stopped = false;

  constructor(kafka: KafkaClient, topics: readonly string[], options: ReadOptions) {
    this.#topics = topics;
    this.#options = options;
    this.#admin = kafka.admin();
    this.#consumer = kafka.consumer({
      groupId: this.#groupId,
      readUncommitted: false,
      partitionAssigners: [everythingForMe],
      maxWaitTimeInMs: 100,
      sessionTimeout: 10_000,
      heartbeatInterval: 3_000,
      allowAutoTopicCreation: false,
    });
  }

  async start(): Promise<void> {
    const consumer = this.#consumer;
    await this.#admin.connect();
    await this.#findStart();
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) this.#lose(payload.error);
    });
    // kafkajs passes over batches of markers without a call, but tells of them.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0)
        this.#advance(`${payload.topic}/${payload.partition}`, Number(payload.lastOffset) + 1);
    });
    // The group has no offsets: whenever it (re)joins, reading goes on where this reader is.
    consumer.on(consumer.events.GROUP_JOIN, () => {
      for (const [place, offset] of this.#position) {
        const slash = place.lastIndexOf('/');
        const partition = Number(place.slice(slash + 1));
        consumer.seek({ topic: place.slice(0, slash), partition, offset: String(offset) });
      }
      if (this.#unwanted.length > 0) consumer.pause(this.#unwanted);
    });
    await consumer.connect();
    for (const topic of this.#topics) await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset }) => {
        const { topic, partition, highWatermark, messages } = batch;
        const expected = this.#position.get(`${topic}/${partition}`);
        if (expected === undefined || this.#lost) return;
        const fetched = Number((batch as unknown as { fetchedOffset: string }).fetchedOffset);
        const next = Number(batch.lastOffset()) + 1;
        const giveUp = (error: Error): void => {
          consumer.pause(this.#topics.map((each) => ({ topic: each })));
          this.#lose(error);
        };
        const gap = gapBetween(expected, fetched, Number(highWatermark));
        if (gap) return giveUp(new RangeError(`${topic}/${partition} ${gap}`));
        const ahead = messages.filter((message) => Number(message.offset) >= expected);
        try {
          await this.#options.onBatch({ topic, partition, messages: ahead, next });
        } catch (error) {
          return giveUp(error instanceof Error ? error : new Error(String(error)));
        }
        resolveOffset(messages.at(-1)?.offset ?? String(next - 1));
        this.#advance(`${topic}/${partition}`, next);
      },
    });
  }

  async caughtUp(): Promise<void> {
    const goals = new Map<string, number>();
    for (const topic of this.#topics)
      for (const { partition, high } of await topicOffsets(this.#admin, topic))
        goals.set(`${topic}/${partition}`, high);
    const isBehind = (): boolean => [...this.#position].some(([place, offset]) => offset < (goals.get(place) ?? 0));
    while (isBehind()) {
      if (this.#lost) throw this.#lost;
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#consumer.disconnect();
    await this.#admin.deleteGroups([this.#groupId]).catch(() => undefined);
    await this.#admin.disconnect();
  }

  /** @throws RangeError where the log does not have what is asked for */
  async #findStart(): Promise<void> {
    const { from, partitions } = this.#options;
    for (const topic of this.#topics) {
      const unwanted: number[] = [];
      for (const { partition, low, high } of await topicOffsets(this.#admin, topic)) {
        const place = `${topic}/${partition}`;
        if (partitions && !partitions.includes(partition)) {
          unwanted.push(partition);
          continue;
        }
        const start = from === 'now' ? high : (from?.get(place) ?? low);
        if (start < low || start > high)
          throw new RangeError(`${place} has offsets ${low} to ${high}, but reading goes on at ${start}`);
        this.#position.set(place, start);
      }
      if (unwanted.length > 0) this.#unwanted.push({ topic, partitions: unwanted });
    }
  }

  #advance(place: string, next: number): void {
    const before = this.#position.get(place);
    if (before === undefined) return;
    this.#position.set(place, Math.max(before, next));
    this.#wake();
  }

  #wake(): void {
    const woken = this.#waiting;
    this.#waiting = [];
    for (const wake of woken) wake();
  }

  #lose(error: Error): void {
    // Stopped while it was still joining, the client reports a crash of its own making.
    if (this.#stopped || this.#lost) return;
    this.#lost = error;
    this.#wake();
    this.#options.onLost?.(error);
  }
}
