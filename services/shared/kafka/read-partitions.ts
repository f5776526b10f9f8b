import { randomUUID } from 'node:crypto';
import type { Log } from '#shared/service/log.ts';
import {
  AssignerProtocol,
  type Consumer,
  type KafkaClient,
  type KafkaMessage,
  type PartitionAssigner,
} from './client.ts';
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
  /** Resolves once `onBatch` has seen all that was there when this was called. */
  caughtUp(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Reads topics by itself, without a group's offsets: committed records from given offsets (by `topic/partition`; the log's
 * start where none is given), and on as they come. Calls `onLost` when it cannot go on: the log no longer has what comes next, or the
 * connection was lost for good. An error thrown by `onBatch` is lost, too.
 */
export async function readPartitions(
  kafka: KafkaClient,
  topics: readonly string[],
  handlers: {
    readonly from?: ReadonlyMap<string, number>;
    /** Only these partitions, of every topic. */
    readonly partitions?: readonly number[];
    readonly onBatch: (batch: ReadBatch) => void | Promise<void>;
    readonly onLost: (error: Error) => void;
    readonly log?: Log;
  },
): Promise<Reader> {
  const groupId = `tributary-reader-${randomUUID()}`;
  const admin = kafka.admin();
  await admin.connect();
  const start = new Map<string, number>();
  const wanted = (partition: number): boolean => handlers.partitions?.includes(partition) ?? true;
  for (const topic of topics) {
    for (const { partition, low, high } of await topicOffsets(admin, topic)) {
      if (!wanted(partition)) continue;
      const from = handlers.from?.get(`${topic}/${partition}`);
      if (from !== undefined && (from < low || from > high)) {
        await admin.disconnect();
        throw new RangeError(`${topic}/${partition} has offsets ${low} to ${high}, but reading goes on at ${from}`);
      }
      start.set(`${topic}/${partition}`, from ?? low);
    }
  }
  const position = new Map(start);
  let waiting: (() => void)[] = [];
  let stopped = false;
  const consumer: Consumer = kafka.consumer({
    groupId,
    readUncommitted: false,
    partitionAssigners: [everythingForMe],
    maxWaitTimeInMs: 100,
    sessionTimeout: 30_000,
    heartbeatInterval: 3_000,
    allowAutoTopicCreation: false,
  });
  const advance = (place: string, next: number): void => {
    position.set(place, Math.max(position.get(place) ?? 0, next));
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  };
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    // Stopped while it was still joining, the client reports a crash of its own making.
    if (!payload.restart && !stopped) handlers.onLost(payload.error);
  });
  // kafkajs passes over batches of markers without a call, but tells of them.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    if (payload.batchSize === 0) advance(`${payload.topic}/${payload.partition}`, Number(payload.lastOffset) + 1);
  });
  // The group has no offsets: whenever it (re)joins, reading goes on where this reader is.
  consumer.on(consumer.events.GROUP_JOIN, () => {
    for (const topic of topics) {
      for (const [place, offset] of position) {
        if (!place.startsWith(`${topic}/`)) continue;
        consumer.seek({ topic, partition: Number(place.slice(topic.length + 1)), offset: String(offset) });
      }
    }
    if (handlers.partitions) {
      for (const topic of topics) {
        const unwanted = allPartitions.get(topic)?.filter((partition) => !wanted(partition)) ?? [];
        if (unwanted.length > 0) consumer.pause([{ topic, partitions: unwanted }]);
      }
    }
  });
  const allPartitions = new Map<string, number[]>();
  const metadata = await admin.fetchTopicMetadata({ topics: [...topics] });
  for (const { name, partitions } of metadata.topics)
    allPartitions.set(
      name,
      partitions.map(({ partitionId }) => partitionId),
    );
  await consumer.connect();
  for (const topic of topics) await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch, resolveOffset }) => {
      const place = `${batch.topic}/${batch.partition}`;
      const expected = position.get(place);
      if (expected === undefined) return;
      const fetched = Number((batch as unknown as { fetchedOffset: string }).fetchedOffset);
      if (fetched > expected) {
        handlers.onLost(new RangeError(`${place} was read to ${expected}, but the log goes on at ${fetched}`));
        return;
      }
      const next = Number(batch.lastOffset()) + 1;
      const messages = batch.messages.filter((message) => Number(message.offset) >= expected);
      try {
        await handlers.onBatch({ topic: batch.topic, partition: batch.partition, messages, next });
      } catch (error) {
        handlers.onLost(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      resolveOffset(batch.messages.at(-1)?.offset ?? String(next - 1));
      advance(place, next);
    },
  });
  return {
    async caughtUp() {
      const goals = new Map<string, number>();
      for (const topic of topics) {
        for (const { partition, high } of await topicOffsets(admin, topic)) {
          if (wanted(partition)) goals.set(`${topic}/${partition}`, high);
        }
      }
      const reached = (): boolean => [...goals].every(([place, goal]) => (position.get(place) ?? 0) >= goal);
      while (!reached()) {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
        });
      }
    },
    async stop() {
      stopped = true;
      await consumer.disconnect();
      await admin.deleteGroups([groupId]).catch(() => undefined);
      await admin.disconnect();
    },
  };
}
