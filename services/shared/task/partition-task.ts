import { randomUUID } from 'node:crypto';
import type { Accounting, EventRejected, Marker } from '#schemas/generated/records.ts';
import type { Definitions } from '#shared/definitions/definitions.ts';
import { byTopic } from '#shared/kafka/by-topic.ts';
import { type Admin, type KafkaClient, type KafkaMessage, Partitioners, type Producer } from '#shared/kafka/client.ts';
import type { Codec } from '#shared/kafka/codec.ts';
import { inChunks, type OutRecord } from '#shared/kafka/in-chunks.ts';
import { partitionOf } from '#shared/kafka/partition-of.ts';
import { TOMBSTONE_RETENTION_MS } from '#shared/kafka/provision-topics.ts';
import { readPartitions } from '#shared/kafka/read-partitions.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import { BackOff } from '#shared/service/back-off.ts';
import type { Log } from '#shared/service/log.ts';
import { type Change, DiskState } from './disk-state.ts';
import { LostInfrastructure, NotOwner, PositionContradiction } from './errors.ts';
import { whereToGoOn } from './positions.ts';
import { processInputs } from './process-inputs.ts';
import type { Input, Task } from './task.ts';
import type { TaskMetrics } from './task-metrics.ts';
import { type Counter, type NextInput, positionsAfter, totalsAfter } from './transaction-plan.ts';
import type { Workspace } from './workspace.ts';

/** What all partitions of a task in a process share. */
export interface TaskSurroundings {
  readonly task: Task;
  readonly service: string;
  readonly generation: number;
  readonly groupId: string;
  readonly kafka: KafkaClient;
  readonly admin: Admin;
  readonly log: Log;
  readonly metrics: TaskMetrics;
  readonly definitions: () => Definitions;
  /** Full topic names, with the number of partitions and the codec of each. */
  readonly inputs: ReadonlyMap<string, Channel>;
  readonly outputs: ReadonlyMap<string, Channel>;
  readonly rejected: Channel<EventRejected>;
  readonly accounting: Channel<Accounting>;
  readonly changelog: string;
  /** By store name, with the loop's own stores. */
  readonly storeCodecs: ReadonlyMap<string, Codec>;
  readonly stateDirectory: string;
  /** Tells whether this member owns the partition now, as the group's coordinator sees it. */
  readonly isOwner: (partition: number) => Promise<boolean>;
  /** Holds back, lets on and moves the fetching of this partition number of all inputs. */
  readonly flow: Flow;
  /** How long to try without success before the process gives up, milliseconds. */
  readonly giveUpMs: number;
}

export interface Channel<V = unknown> {
  readonly topic: string;
  readonly partitions: number;
  readonly codec: { encode(value: V): Buffer };
}

export interface Flow {
  hold(partition: number): void;
  letOn(partition: number): void;
  moveTo(partition: number, positions: ReadonlyMap<string, number>): void;
}

/** The loop's own stores beside those of the task. */
const TOTALS = '@totals';
const MARKER = '@marker';

const BATCH_SIZE = 1_500;
/** After so long without a record the position is moved past what holds no records. */
const IDLE_MS = 1_000;
/** Fetching is held back while more than this many records wait, and let on below half of it. */
const INBOX_RECORDS = 3_000;
/** Local state that has lain unused for longer may miss tombstones that the changelog no longer holds. */
const STATE_MAX_AGE_MS = TOMBSTONE_RETENTION_MS / 2;

/** The transactional producer of one partition: short sleeps, since kafkajs waits this long wherever the coordinator needs a moment. */
const producerRetry = { initialRetryTime: 4, factor: 0, multiplier: 1, maxRetryTime: 20, retries: 500 };
/** A dead transaction hides later commits from every reader of the partitions that it wrote, for this long. */
const TRANSACTION_TIMEOUT_MS = 10_000;

interface Waiting {
  readonly input: string;
  readonly message: KafkaMessage;
  readonly next: number;
}

/** One partition number of a task: takes it over, works, and takes it over anew after any failure, until it is released. */
export class PartitionTask {
  readonly partition: number;
  readonly #around: TaskSurroundings;
  readonly #log: Log;
  readonly #counter: Counter;
  readonly #released = new AbortController();
  readonly #inputNames: ReadonlyMap<string, string>;
  readonly #done: Promise<void>;
  #state: DiskState | undefined;
  #producer: Producer | undefined;
  #totals = new Map<string, Accounting>();
  /** Next offset that may enter the inbox, by topic; undefined unless running. */
  #expected: Map<string, number> | undefined;
  #inbox: Waiting[] = [];
  #held = false;
  #failure: Error | undefined;
  #wake: () => void = () => {};

  constructor(partition: number, around: TaskSurroundings) {
    this.partition = partition;
    this.#around = around;
    this.#log = around.log.child({ task: around.task.name, partition });
    this.#inputNames = new Map([...around.inputs].map(([name, channel]) => [channel.topic, name]));
    this.#counter = {
      service: around.service,
      task: around.task.name,
      partition,
      generation: around.generation,
      topicOf: (input) => around.inputs.get(input)?.topic ?? input,
    };
    this.#done = this.#run();
  }

  /** Rejects when the task cannot go on and a person must look. */
  get done(): Promise<void> {
    return this.#done;
  }

  get running(): boolean {
    return this.#expected !== undefined;
  }

  /**
   * Takes fetched records in.
   * @param fetched the offset that was asked for: the log may not go on later than expected
   * @returns false when the task is not running: the records will be fetched again
   */
  offer(topic: string, fetched: number, messages: readonly KafkaMessage[], next: number): boolean {
    const expected = this.#expected?.get(topic);
    const input = this.#inputNames.get(topic);
    if (expected === undefined || input === undefined) return false;
    if (fetched > expected) {
      this.#fail(
        new PositionContradiction(
          `${topic}/${this.partition} was read to ${expected}, but the log goes on at ${fetched}`,
        ),
      );
      return false;
    }
    const last = messages.at(-1);
    for (const message of messages) {
      const offset = Number(message.offset);
      if (offset >= expected) this.#inbox.push({ input, message, next: message === last ? next : offset + 1 });
    }
    this.#expected?.set(topic, Math.max(expected, next));
    if (!this.#held && this.#inbox.length > INBOX_RECORDS) {
      this.#held = true;
      this.#around.flow.hold(this.partition);
    }
    this.#wake();
    return true;
  }

  /** The log held only markers or aborted records up to here. */
  passOver(topic: string, next: number): void {
    const expected = this.#expected?.get(topic);
    if (expected !== undefined) this.#expected?.set(topic, Math.max(expected, next));
  }

  /** Lets the partition go after the batch in hand. */
  async release(): Promise<void> {
    this.#released.abort();
    this.#wake();
    await this.#done.catch(() => undefined);
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#wake();
  }

  async #run(): Promise<void> {
    const log = this.#log;
    const backOff = new BackOff(50, 2_000);
    const { signal } = this.#released;
    while (!signal.aborted) {
      try {
        await this.#takeOver();
        backOff.succeeded();
        await this.#work();
      } catch (error) {
        if (error instanceof PositionContradiction) {
          this.#around.metrics.failed(error.code);
          log.fatal({ err: error }, 'stopping: the log and the task disagree');
          throw error;
        }
        if (!signal.aborted) {
          const code = error instanceof NotOwner ? error.code : 'lost_infrastructure';
          this.#around.metrics.failed(code);
          log.warn(
            { reason: describe(error), failingMs: Math.round(backOff.failingMs) },
            'partition is taken over anew',
          );
        }
        if (backOff.failingMs > this.#around.giveUpMs) {
          throw new LostInfrastructure(
            `${this.#around.task.name}/${this.partition}: no success for ${Math.round(backOff.failingMs / 1000)} s`,
            { cause: error },
          );
        }
      } finally {
        await this.#letGo();
      }
      if (!signal.aborted) await backOff.failed(signal);
    }
  }

  /** The order matters; see docs/architecture.md. */
  async #takeOver(): Promise<void> {
    const { task, kafka, admin, groupId, metrics, flow, changelog, storeCodecs } = this.#around;
    const began = performance.now();
    flow.hold(this.partition);
    this.#held = true;
    // 1. Fence whoever had it before, and abort what they left open.
    const producer = kafka.producer({
      transactionalId: `${groupId}.${this.partition}`,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: producerRetry,
    });
    this.#producer = producer;
    await producer.connect();
    // Connecting alone fences nobody: kafkajs initialises a transactional producer with its first transaction.
    const transaction = await producer.transaction();
    const marker: Marker = { owner: randomUUID(), sequence: Date.now() };
    let committed: Map<string, number>;
    try {
      // 2. Only a member may go on: a fenced zombie lets go here.
      if (!(await this.#around.isOwner(this.partition))) {
        throw new NotOwner('the group has given the partition to another member');
      }
      // 3. Only now nobody else can commit, so only now the offsets are final.
      committed = await this.#committedOffsets();
      await transaction.send({
        topic: changelog,
        acks: -1,
        messages: [
          { partition: this.partition, key: `${MARKER}/marker`, value: this.#storeCodec(MARKER).encode(marker) },
        ],
      });
      await transaction.commit();
    } catch (error) {
      await transaction.abort().catch(() => undefined);
      throw error;
    }
    // 4. Restore up to the marker.
    const state = new DiskState(
      `${this.#around.stateDirectory}/${this.partition}`,
      { ...task.stores, [TOTALS]: { record: 'Accounting' }, [MARKER]: { record: 'Marker' } },
      storeCodecs,
    );
    this.#state = state;
    const restored = await this.#restore(state, marker.owner);
    this.#totals = new Map();
    for (const topic of ['', ...this.#inputNames.keys()]) {
      const totals = state.get(TOTALS, topic) as Accounting | undefined;
      if (totals) this.#totals.set(topic, totals);
    }
    // 5. Compare what is known of the position, and go on from there.
    const positions = new Map<string, number>();
    for (const topic of this.#inputNames.keys()) {
      const bounds = (await topicOffsets(admin, topic)).find(({ partition }) => partition === this.partition);
      if (!bounds) throw new LostInfrastructure(`${topic} has no partition ${this.partition}`);
      positions.set(
        topic,
        whereToGoOn({
          place: `${topic}/${this.partition}`,
          recorded: this.#totals.get(topic)?.next,
          committed: committed.get(topic),
          logStart: bounds.low,
          logEnd: bounds.high,
          startFrom: task.startFrom ?? 'earliest',
        }),
      );
    }
    await this.#recordStart(producer, positions);
    this.#inbox = [];
    this.#failure = undefined;
    if (this.#released.signal.aborted) return;
    this.#expected = new Map(positions);
    flow.moveTo(this.partition, positions);
    flow.letOn(this.partition);
    this.#held = false;
    metrics.takenOver(this.partition, performance.now() - began);
    this.#log.info(
      { ms: Math.round(performance.now() - began), restored, positions: Object.fromEntries(positions) },
      'partition taken over',
    );
  }

  async #committedOffsets(): Promise<Map<string, number>> {
    const { admin, groupId } = this.#around;
    const answer = await admin.fetchOffsets({ groupId, topics: [...this.#inputNames.keys()] });
    const committed = new Map<string, number>();
    for (const { topic, partitions } of answer) {
      const offset = Number(partitions.find(({ partition }) => partition === this.partition)?.offset ?? -1);
      if (offset >= 0) committed.set(topic, offset);
    }
    return committed;
  }

  /** A position that is not on record yet is recorded before the first input, so that its loss can be told from a beginning. */
  async #recordStart(producer: Producer, positions: ReadonlyMap<string, number>): Promise<void> {
    const fresh = [...positions].filter(([topic]) => !this.#totals.has(topic));
    if (fresh.length === 0) return;
    const totals = fresh.map(
      ([topic, next]): Accounting => ({
        service: this.#counter.service,
        task: this.#counter.task,
        topic,
        partition: this.partition,
        next,
        taken: 0,
        outcomes: {},
        outputs: {},
        generation: this.#counter.generation,
      }),
    );
    await this.#transact(producer, [], totals, [], new Map(fresh));
  }

  /** Brings the state to where the marker stands in the changelog. @returns the number of records read */
  async #restore(state: DiskState, owner: string): Promise<number> {
    const { kafka, admin, changelog } = this.#around;
    const { clusterId } = await admin.describeCluster();
    const before = state.position;
    if (before && (before.cluster !== clusterId || Date.now() - before.at > STATE_MAX_AGE_MS)) await state.clear();
    const markerCodec = this.#storeCodec(MARKER) as Codec<'Marker'>;
    let read = 0;
    const attempt = async (from: number | undefined): Promise<void> => {
      let found = (): void => {};
      let lost = (_: Error): void => {};
      const atMarker = new Promise<void>((resolve, reject) => {
        found = resolve;
        lost = reject;
      });
      const abort = (): void => lost(new LostInfrastructure('released while restoring'));
      this.#released.signal.addEventListener('abort', abort, { once: true });
      const reader = await readPartitions(kafka, [changelog], {
        partitions: [this.partition],
        ...(from === undefined ? {} : { from: new Map([[`${changelog}/${this.partition}`, from]]) }),
        onLost: (error) => lost(error),
        onBatch: async ({ messages }) => {
          const changes = new Map<string, Change>();
          let done = false;
          for (const { key, value } of messages) {
            const place = String(key);
            const slash = place.indexOf('/');
            const store = place.slice(0, slash);
            if (store === MARKER && value && markerCodec.decode(value).owner === owner) done = true;
            if (this.#around.storeCodecs.has(store))
              changes.set(place, { store, key: place.slice(slash + 1), bytes: value });
            read++;
          }
          for (const [store, codec] of this.#around.storeCodecs) {
            await codec.prepare(
              [...changes.values()].filter((change) => change.store === store).map((change) => change.bytes),
            );
          }
          const last = messages.at(-1);
          if (last)
            await state.apply(changes.values(), { offset: Number(last.offset), at: Date.now(), cluster: clusterId });
          if (done) found();
        },
      });
      try {
        await atMarker;
      } finally {
        this.#released.signal.removeEventListener('abort', abort);
        await reader.stop();
      }
    };
    const position = state.position;
    try {
      await attempt(position && position.offset + 1);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#log.warn({ reason: error.message }, 'local state does not fit its changelog and is rebuilt');
      await state.clear();
      await attempt(undefined);
    }
    return read;
  }

  async #work(): Promise<void> {
    const { signal } = this.#released;
    const { task, metrics, flow, definitions } = this.#around;
    const size = task.batchSize ?? BATCH_SIZE;
    while (!signal.aborted) {
      if (this.#failure) throw this.#failure;
      if (this.#inbox.length === 0) {
        if (await this.#isIdle()) await this.#recordPassedOver();
        continue;
      }
      const waiting = this.#inbox.splice(0, size);
      if (this.#held && this.#inbox.length < INBOX_RECORDS / 2) {
        this.#held = false;
        flow.letOn(this.partition);
      }
      const began = performance.now();
      const inputs = await this.#decode(waiting);
      await processInputs(
        task,
        this.#state as DiskState,
        inputs,
        { definitions: definitions(), signal },
        (work, done) => this.#commit(work, done as NextInput[]),
      );
      metrics.batchDone(performance.now() - began);
    }
  }

  /** Waits for something to do. @returns true when nothing came for a while */
  async #isIdle(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const idle = await new Promise<boolean>((resolve) => {
      this.#wake = () => resolve(false);
      timer = setTimeout(() => resolve(true), IDLE_MS);
    });
    clearTimeout(timer);
    return idle;
  }

  /**
   * Markers and aborted records come after the last record that was worked on. Once all is quiet the position is moved past them:
   * else they would expire one day and look like records that were never read.
   */
  async #recordPassedOver(): Promise<void> {
    const positions = new Map<string, number>();
    for (const [topic, next] of this.#expected ?? [])
      if (next > (this.#totals.get(topic)?.next ?? 0)) positions.set(topic, next);
    if (positions.size === 0 || !this.#producer) return;
    const totals = [...positions].map(
      ([topic, next]): Accounting => ({ ...(this.#totals.get(topic) as Accounting), next }),
    );
    await this.#transact(this.#producer, [], totals, [], positions);
  }

  async #decode(waiting: readonly Waiting[]): Promise<NextInput[]> {
    for (const [name, channel] of this.#around.inputs) {
      const codec = channel.codec as Codec;
      await codec.prepare(valuesOf(waiting, name));
    }
    return waiting.map(({ input, message, next }) => {
      const codec = this.#around.inputs.get(input)?.codec as Codec;
      const raw = message.value;
      const base = {
        input,
        partition: this.partition,
        offset: Number(message.offset),
        key: String(message.key ?? ''),
        timestamp: Number(message.timestamp),
        raw,
        next,
      };
      if (raw === null) return { ...base, value: null };
      try {
        return { ...base, value: codec.decode(raw) };
      } catch (error) {
        return { ...base, value: null, undecodable: error instanceof Error ? error.message : 'unknown reason' };
      }
    });
  }

  async #commit(work: Workspace, inputs: readonly NextInput[]): Promise<void> {
    const positions = positionsAfter(inputs, this.#counter.topicOf);
    const records: OutRecord[] = [];
    for (const { output, key, value, timestamp } of work.emitted) {
      const channel = this.#around.outputs.get(output);
      if (!channel) throw new Error(`the task ${this.#around.task.name} has no output ${output}`);
      records.push({
        topic: channel.topic,
        partition: partitionOf(key, channel.partitions),
        key,
        value: value === null ? null : channel.codec.encode(value),
        timestamp,
      });
    }
    const { rejected } = this.#around;
    for (const { input, reason, message, violations } of work.rejected) {
      const value = this.#rejection(input, reason, message, violations ?? []);
      const key = value.source ?? '';
      records.push({
        topic: rejected.topic,
        partition: partitionOf(key, rejected.partitions),
        key,
        value: rejected.codec.encode(value),
        timestamp: input.timestamp,
      });
    }
    const changes: Change[] = [];
    for (const [store, byKey] of work.changes) {
      for (const [key, value] of byKey) {
        changes.push(
          value === undefined
            ? { store, key, bytes: null }
            : { store, key, bytes: this.#storeCodec(store).encode(value as never), value },
        );
      }
    }
    const totals = totalsAfter(this.#totals, work, positions, this.#counter);
    if (!this.#producer) throw new LostInfrastructure('no producer');
    await this.#transact(this.#producer, records, totals, changes, positions);
    this.#around.metrics.settled(work);
  }

  /** One Kafka transaction: outputs, changelog, accounting, offsets. Then, and only then, the local state. */
  async #transact(
    producer: Producer,
    records: readonly OutRecord[],
    totals: readonly Accounting[],
    changes: readonly Change[],
    positions: ReadonlyMap<string, number>,
  ): Promise<void> {
    const { changelog, accounting, groupId, admin, metrics } = this.#around;
    const now = Date.now();
    const all: Change[] = [
      ...changes,
      ...totals.map(
        (value): Change => ({ store: TOTALS, key: value.topic, value, bytes: this.#storeCodec(TOTALS).encode(value) }),
      ),
    ];
    const out: OutRecord[] = [
      ...records,
      ...totals.map((value) => {
        const key = `${value.service}/${value.task}/${value.topic}/${value.partition}`;
        return { topic: accounting.topic, partition: 0, key, value: accounting.codec.encode(value), timestamp: now };
      }),
      ...all.map(({ store, key, bytes }) => ({
        topic: changelog,
        partition: this.partition,
        key: `${store}/${key}`,
        value: bytes,
        timestamp: now,
      })),
    ];
    const began = performance.now();
    const transaction = await producer.transaction();
    let changelogEnd = 0;
    try {
      for (const chunk of inChunks(out)) {
        const answers = await transaction.sendBatch({ acks: -1, topicMessages: byTopic(chunk) });
        const logged = chunk.filter(({ topic }) => topic === changelog).length;
        const answer = answers.find(({ topicName }) => topicName === changelog);
        if (logged > 0 && answer) changelogEnd = Number(answer.baseOffset) + logged - 1;
      }
      await transaction.sendOffsets({
        consumerGroupId: groupId,
        topics: [...positions].map(([topic, offset]) => ({
          topic,
          partitions: [{ partition: this.partition, offset: String(offset) }],
        })),
      });
      await transaction.commit();
    } catch (error) {
      await transaction.abort().catch(() => undefined);
      throw new LostInfrastructure(`transaction failed: ${describe(error)}`, { cause: error });
    }
    metrics.committed(performance.now() - began);
    const { clusterId } = await this.#cluster(admin);
    await this.#state?.apply(all, { offset: changelogEnd, at: now, cluster: clusterId });
    for (const value of totals) this.#totals.set(value.topic, value);
  }

  #clusterAnswer: Promise<{ clusterId: string }> | undefined;
  #cluster(admin: Admin): Promise<{ clusterId: string }> {
    this.#clusterAnswer ??= admin.describeCluster();
    this.#clusterAnswer.catch(() => {
      this.#clusterAnswer = undefined;
    });
    return this.#clusterAnswer;
  }

  #rejection(input: Input, reason: string, message: string, violations: readonly string[]): EventRejected {
    const value = input.value as {
      source?: unknown;
      message_id?: unknown;
      payload?: unknown;
      definitions?: EventRejected['definitions'];
    } | null;
    return {
      stage: this.#around.service,
      reason,
      message,
      source: typeof value?.source === 'string' ? value.source : null,
      message_id: typeof value?.message_id === 'string' ? value.message_id : null,
      received_at: input.timestamp,
      rejected_at: input.timestamp,
      violations,
      payload: typeof value?.payload === 'string' ? Buffer.from(value.payload) : (input.raw ?? Buffer.alloc(0)),
      topic: this.#counter.topicOf(input.input),
      partition: input.partition,
      offset: input.offset,
      definitions: value?.definitions ?? [],
      generation: this.#around.generation,
    };
  }

  #storeCodec(store: string): Codec {
    const codec = this.#around.storeCodecs.get(store);
    if (!codec) throw new Error(`no codec for the store ${store}`);
    return codec;
  }

  async #letGo(): Promise<void> {
    this.#expected = undefined;
    this.#inbox = [];
    const [producer, state] = [this.#producer, this.#state];
    this.#producer = undefined;
    this.#state = undefined;
    await producer?.disconnect().catch(() => undefined);
    await state?.close().catch(() => undefined);
  }
}

function* valuesOf(waiting: readonly Waiting[], input: string): Generator<Buffer | null> {
  for (const one of waiting) if (one.input === input) yield one.message.value;
}

const describe = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);
