import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Registry } from 'prom-client';
import { accountingTopic, changelogTopic, type Topic, topics } from '#schemas/topics.ts';
import type { Definitions } from '#shared/definitions/definitions.ts';
import type { Admin, Consumer, KafkaClient } from '#shared/kafka/client.ts';
import type { Codec, Codecs } from '#shared/kafka/codec.ts';
import { planOf, provisionTopics } from '#shared/kafka/provision-topics.ts';
import type { Log } from '#shared/service/log.ts';
import type { Service } from '#shared/service/service.ts';
import { coPartitionedAssigner } from './co-partitioned-assigner.ts';
import { LostInfrastructure } from './errors.ts';
import { PartitionTask } from './partition-task.ts';
import { type Channel, type Flow, ownStores, type TaskSurroundings } from './surroundings.ts';
import type { Task } from './task.ts';
import { TaskMetrics } from './task-metrics.ts';

/** What a process gives to every task it runs. */
export interface TaskHost {
  readonly service: string;
  readonly kafka: KafkaClient;
  readonly codecs: Codecs;
  readonly log: Log;
  readonly metrics: Registry;
  readonly definitions: () => Definitions;
  readonly prefix: string;
  readonly generation: number;
  /** In whose books it counts; its own where that says nothing. */
  readonly booksGeneration?: number;
  /** It is not the process's own generation: metrics tell which. */
  readonly isBeside?: boolean;
  readonly replication: number;
  readonly dataDirectory: string;
  /** How long a partition may fail before the process gives up, milliseconds. */
  readonly giveUpMs?: number;
}

/** How long a process that was killed keeps its partitions; 6 s is the least that brokers allow by default. */
const SESSION_TIMEOUT_MS = 6_000;
const GIVE_UP_MS = 300_000;

/** Runs one task in this process: joins its consumer group and works on the partitions that it is given. */
export class TaskRunner implements Service {
  readonly name: string;
  readonly #task: Task;
  readonly #host: TaskHost;
  readonly #groupId: string;
  readonly #stateDirectory: string;
  readonly #partitionTasks = new Map<number, PartitionTask>();
  #admin: Admin | undefined;
  #consumer: Consumer | undefined;
  #memberId: string | undefined;
  #joined = false;
  /** When the group's coordinator last answered. */
  #heard = performance.now();
  #stopping = false;
  /** Settled once the group was joined, or could not be. */
  #started: Promise<void> = Promise.resolve();
  #end: (error?: Error) => void = () => {};
  /** Changes of the assignment are carried out one after the other. */
  #assigning: Promise<void> = Promise.resolve();

  constructor(task: unknown, host: TaskHost) {
    this.#task = task as Task;
    this.#host = host;
    this.name = this.#task.name;
    this.#groupId = `${host.prefix}g${host.generation}.${this.#task.name}`;
    this.#stateDirectory = join(host.dataDirectory, 'state', `g${host.generation}`, this.#task.name);
  }

  /** Empty when this task works on all that it was given; else what is missing. */
  notReady(): string[] {
    if (!this.#joined) return [`${this.name} has not joined its group`];
    if (this.#silentMs > SESSION_TIMEOUT_MS) return [`${this.name} does not hear from Kafka`];
    return [...this.#partitionTasks.values()]
      .filter((one) => !one.running)
      .map((one) => `${this.name} is taking over partition ${one.partition}`);
  }

  async run(): Promise<void> {
    const ended = new Promise<void>((resolve, reject) => {
      this.#end = (error) => (error ? reject(error) : resolve());
    });
    ended.catch(() => undefined);
    this.#started = this.#start();
    this.#started.catch(() => undefined);
    await this.#started;
    // A task without anything to do would not notice that Kafka is gone.
    const listening = setInterval(() => {
      if (this.#silentMs > this.#giveUpMs)
        this.#end(
          new LostInfrastructure(`${this.name}: not heard from Kafka for ${Math.round(this.#silentMs / 1000)} s`),
        );
    }, 1_000);
    await ended.finally(() => clearInterval(listening));
  }

  get #silentMs(): number {
    return performance.now() - this.#heard;
  }

  get #giveUpMs(): number {
    return this.#host.giveUpMs ?? GIVE_UP_MS;
  }

  async #start(): Promise<void> {
    const { kafka } = this.#host;
    mkdirSync(this.#stateDirectory, { recursive: true });
    const admin = kafka.admin();
    this.#admin = admin;
    await admin.connect();
    const inputs = await this.#channels(this.#task.inputs);
    const consumer = kafka.consumer({
      groupId: this.#groupId,
      readUncommitted: false,
      partitionAssigners: [coPartitionedAssigner(() => this.#held())],
      sessionTimeout: SESSION_TIMEOUT_MS,
      rebalanceTimeout: 15_000,
      heartbeatInterval: 1_000,
      maxWaitTimeInMs: 100,
      maxBytesPerPartition: 1_048_576,
      allowAutoTopicCreation: false,
    });
    this.#consumer = consumer;
    const around = await this.#surroundings(admin, consumer, inputs);
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart)
        this.#end(
          new LostInfrastructure(`${this.name}: the consumer cannot go on: ${payload.error.message}`, {
            cause: payload.error,
          }),
        );
    });
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0)
        this.#partitionTasks.get(payload.partition)?.passOver(payload.topic, Number(payload.lastOffset) + 1);
    });
    consumer.on(consumer.events.HEARTBEAT, () => {
      this.#heard = performance.now();
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      this.#heard = performance.now();
      const mine = [...new Set(Object.values(payload.memberAssignment).flat())].sort((a, b) => a - b);
      const continued = payload.memberId === this.#memberId;
      this.#memberId = payload.memberId;
      for (const partition of mine)
        if (!continued || !this.#partitionTasks.get(partition)?.running) around.flow.hold(partition);
      this.#assigning = this.#assigning
        .then(() => this.#assign(mine, continued, around))
        .then(() => {
          this.#joined = true;
        });
    });
    await consumer.connect();
    for (const [name, { topic }] of inputs)
      await consumer.subscribe({ topic, fromBeginning: !this.#task.startsAtEndOf?.includes(name) });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 1,
      eachBatch: async ({ batch, resolveOffset }) => {
        const last = batch.messages.at(-1);
        if (!last) return;
        const fetched = Number((batch as unknown as { fetchedOffset: string }).fetchedOffset);
        const next = Number(batch.lastOffset()) + 1;
        const end = Number(batch.highWatermark);
        const taken = this.#partitionTasks.get(batch.partition)?.offer(batch.topic, fetched, end, batch.messages, next);
        if (taken) resolveOffset(last.offset);
      },
    });
  }

  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    await this.#started.catch(() => undefined);
    await this.#assigning;
    await Promise.all([...this.#partitionTasks.values()].map((one) => one.release()));
    this.#partitionTasks.clear();
    await this.#consumer?.disconnect().catch(() => undefined);
    await this.#admin?.disconnect().catch(() => undefined);
    this.#end();
  }

  /** Partitions that were ours all the time go on; all others are taken over, or let go. */
  async #assign(mine: readonly number[], continued: boolean, around: TaskSurroundings): Promise<void> {
    if (this.#stopping) return;
    const leaving = [...this.#partitionTasks.values()].filter(
      ({ partition }) => !continued || !mine.includes(partition),
    );
    await Promise.all(
      leaving.map(async (one) => {
        this.#partitionTasks.delete(one.partition);
        await one.release();
      }),
    );
    for (const partition of mine) {
      if (this.#partitionTasks.has(partition)) continue;
      const one = new PartitionTask(partition, around);
      this.#partitionTasks.set(partition, one);
      one.done.catch((error: Error) => this.#end(error));
    }
  }

  /** Partitions whose state is on this disk, told to the group so that they come back here. */
  #held(): number[] {
    return readdirSync(this.#stateDirectory)
      .map(Number)
      .filter((partition) => Number.isInteger(partition));
  }

  async #channels(named: Readonly<Record<string, Topic>>): Promise<Map<string, Channel & { readonly codec: Codec }>> {
    const { prefix, codecs } = this.#host;
    const channels = new Map<string, Channel & { readonly codec: Codec }>();
    for (const [name, { name: short, value }] of Object.entries(named)) {
      const topic = prefix + short;
      channels.set(name, {
        topic,
        partitions: await this.#partitionsIn(topic),
        codec: await codecs.ofTopic(topic, value),
      });
    }
    return channels;
  }

  async #partitionsIn(topic: string): Promise<number> {
    const metadata = await this.#admin?.fetchTopicMetadata({ topics: [topic] });
    return metadata?.topics[0]?.partitions.length ?? 0;
  }

  async #surroundings(admin: Admin, consumer: Consumer, inputs: TaskSurroundings['inputs']): Promise<TaskSurroundings> {
    const { service, kafka, codecs, log, metrics, definitions, prefix, generation, isBeside, replication } = this.#host;
    const { booksGeneration = generation } = this.#host;
    const books = accountingTopic(booksGeneration);
    const task = this.#task;
    const partitions = partitionsOf(inputs.values());
    const changelog = changelogTopic(generation, task.name, 'many');
    await provisionTopics(
      admin,
      [changelog, books].map((topic) => planOf(topic, prefix, partitions, replication)),
    );
    const state = { topic: prefix + changelog.name, partitions: await this.#partitionsIn(prefix + changelog.name) };
    partitionsOf([...inputs.values(), state]);
    const outputs = await this.#channels(task.outputs);
    const common = await this.#channels({ rejected: topics.eventsRejected, accounting: books });
    const storeCodecs = new Map<string, Codec>();
    for (const [name, { record }] of Object.entries({ ...task.stores, ...ownStores })) {
      storeCodecs.set(name, await codecs.ofRecord(prefix, record));
    }
    const inputTopics = [...inputs.values()].map(({ topic }) => topic);
    const places = (partition: number) => inputTopics.map((topic) => ({ topic, partitions: [partition] }));
    const flow: Flow = {
      hold: (partition) => consumer.pause(places(partition)),
      letOn: (partition) => consumer.resume(places(partition)),
      moveTo: (partition, positions) => {
        for (const [topic, offset] of positions) consumer.seek({ topic, partition, offset: String(offset) });
      },
    };
    return {
      task,
      service,
      generation,
      groupId: this.#groupId,
      kafka,
      admin,
      log,
      metrics: new TaskMetrics(task, metrics, isBeside ? generation : undefined),
      definitions,
      inputs,
      outputs,
      rejected: common.get('rejected') as TaskSurroundings['rejected'],
      accounting: common.get('accounting') as TaskSurroundings['accounting'],
      books: booksGeneration === generation ? '' : `g${generation}/`,
      changelog: state.topic,
      storeCodecs,
      stateDirectory: this.#stateDirectory,
      giveUpMs: this.#giveUpMs,
      flow,
      isOwner: async (partition) => {
        const { members, state } = await consumer.describeGroup();
        return (
          state === 'Stable' &&
          members.some(({ memberId }) => memberId === this.#memberId) &&
          this.#partitionTasks.has(partition)
        );
      },
    };
  }
}

/**
 * How many partitions topics have that are read together.
 * @throws Error where they differ: partition p of one would miss its counterpart
 */
function partitionsOf(channels: Iterable<Pick<Channel, 'topic' | 'partitions'>>): number {
  const counts = new Map([...channels].map(({ topic, partitions }) => [topic, partitions]));
  const [count = 0, ...others] = new Set(counts.values());
  if (others.length === 0 && count > 0) return count;
  const each = [...counts].map(([topic, partitions]) => `${topic} ${partitions}`).join(', ');
  throw new Error(`these topics must have the same number of partitions, and have: ${each}`);
}
