import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Accounting, Marker } from '#schemas/generated/records.ts';
import type { Definitions } from '#shared/definitions/definitions.ts';
import { type KafkaMessage, Partitioners, type Producer } from '#shared/kafka/client.ts';
import { gapBetween } from '#shared/kafka/gap-between.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import { BackOff } from '#shared/service/back-off.ts';
import type { Log } from '#shared/service/log.ts';
import { DiskState } from './disk-state.ts';
import { type EncodedBatch, encodeBatch } from './encode-batch.ts';
import { LostInfrastructure, NotOwner, PositionContradiction } from './errors.ts';
import { whereToGoOn } from './positions.ts';
import { processInputs } from './process-inputs.ts';
import { restore } from './restore.ts';
import { MARKER, ownStores, storeCodec, type TaskSurroundings, TOTALS } from './surroundings.ts';
import type { Moment, Task } from './task.ts';
import { transact } from './transact.ts';
import { type Counter, type NextInput, noTotals } from './transaction-plan.ts';

const BATCH_SIZE = 1_500;
/** A batch that is not full begins so long after the one before, at the earliest. */
const BATCH_EVERY_MS = 40;
/** After so long without a record the position is moved past what holds no records. */
const IDLE_MS = 1_000;
/** So often that is done also where one input is never quiet, and another is. */
const PASSED_OVER_MS = 60_000;
/** Fetching is held back while more than this many records wait, or two batches, and let on below half of it. */
const INBOX_RECORDS = 3_000;

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
  #cluster = '';
  #totals = new Map<string, Accounting>();
  /** Next offset that may enter the inbox, by topic; undefined unless running. */
  #expected: Map<string, number> | undefined;
  #inbox: Waiting[] = [];
  readonly #batchSize: number;
  readonly #mostWaiting: number;
  #held = false;
  #failure: Error | undefined;
  #passedOverAt = performance.now();
  #batchBegan = 0;
  /** The task has work although no records wait. */
  #goesOn = false;
  /** When it has some again, wall clock. */
  #wakeAt = Number.POSITIVE_INFINITY;
  /** What it has seen. */
  #definitions: Definitions | undefined;
  /** The log's end when it was last heard of, by topic. */
  readonly #ends = new Map<string, number>();
  #wake: () => void = () => {};

  constructor(partition: number, around: TaskSurroundings) {
    this.partition = partition;
    this.#around = around;
    this.#batchSize = around.task.batchSize ?? BATCH_SIZE;
    this.#mostWaiting = Math.max(INBOX_RECORDS, 2 * this.#batchSize);
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
   * @param fetched the offset that was asked for
   * @param end the log's end when they were fetched
   * @returns false when the task is not running: the records will be fetched again
   */
  offer(topic: string, fetched: number, end: number, messages: readonly KafkaMessage[], next: number): boolean {
    const expected = this.#expected?.get(topic);
    const input = this.#inputNames.get(topic);
    if (expected === undefined || input === undefined) return false;
    const gap = gapBetween(expected, fetched, end);
    if (gap) {
      this.#fail(new PositionContradiction(`${topic}/${this.partition} ${gap}`));
      return false;
    }
    const last = messages.at(-1);
    for (const message of messages) {
      const offset = Number(message.offset);
      if (offset >= expected) this.#inbox.push({ input, message, next: message === last ? next : offset + 1 });
    }
    this.#expected?.set(topic, Math.max(expected, next));
    this.#ends.set(topic, end);
    if (!this.#held && this.#inbox.length > this.#mostWaiting) {
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
        await this.#work(() => backOff.succeeded());
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
          {
            partition: this.partition,
            key: `${MARKER}/marker`,
            value: storeCodec(this.#around, MARKER).encode(marker),
          },
        ],
      });
      await transaction.commit();
    } catch (error) {
      await transaction.abort().catch(() => undefined);
      throw error;
    }
    // 4. Restore up to the marker.
    const path = `${this.#around.stateDirectory}/${this.partition}`;
    const state = new DiskState(path, { ...task.stores, ...ownStores }, storeCodecs);
    this.#state = state;
    await state.learnSchemas();
    this.#cluster = (await admin.describeCluster()).clusterId;
    const restored = await restore({
      state,
      partition: this.partition,
      owner: marker.owner,
      cluster: this.#cluster,
      signal: this.#released.signal,
      log: this.#log,
      around: this.#around,
    });
    this.#totals = new Map();
    for (const topic of ['', ...this.#inputNames.keys()]) {
      const totals = state.get(TOTALS, topic) as Accounting | undefined;
      if (totals) this.#totals.set(topic, totals);
    }
    // 5. Compare what is known of the position, and go on from there.
    const positions = new Map<string, number>();
    for (const [topic, input] of this.#inputNames) {
      const bounds = (await topicOffsets(admin, topic)).find(({ partition }) => partition === this.partition);
      if (!bounds) throw new LostInfrastructure(`${topic} has no partition ${this.partition}`);
      this.#ends.set(topic, bounds.high);
      positions.set(
        topic,
        whereToGoOn({
          place: `${topic}/${this.partition}`,
          recorded: this.#totals.get(topic)?.next,
          committed: committed.get(topic),
          logStart: bounds.low,
          logEnd: bounds.high,
          startFrom: task.startsAtEndOf?.includes(input) ? 'latest' : 'earliest',
        }),
      );
    }
    await this.#recordPositions([...positions].filter(([topic]) => !this.#totals.has(topic)));
    this.#inbox = [];
    this.#goesOn = task.goesOn === true;
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.#failure = undefined;
    if (this.#released.signal.aborted) return;
    this.#expected = new Map(positions);
    flow.moveTo(this.partition, positions);
    flow.letOn(this.partition);
    this.#held = false;
    metrics.takenOver(this.partition, performance.now() - began);
    metrics.stateBytes(this.partition, state.bytes);
    this.#tellKept();
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

  /** Puts positions on record without any input: the first ones, so that their loss can be told from a beginning, and later ones. */
  async #recordPositions(entries: readonly (readonly [topic: string, next: number])[]): Promise<void> {
    if (entries.length === 0) return;
    const totals = entries.map(
      ([topic, next]): Accounting => ({ ...(this.#totals.get(topic) ?? noTotals(topic, this.#counter)), next }),
    );
    await this.#commit({ records: [], changes: [], totals, positions: new Map(entries) });
  }

  /** @param succeeded called with each success: taking over alone is none, since what comes after it may fail each time */
  async #work(succeeded: () => void): Promise<void> {
    const { signal } = this.#released;
    const { task, metrics, flow, definitions } = this.#around;
    const size = this.#batchSize;
    while (!signal.aborted) {
      if (this.#failure) throw this.#failure;
      if (this.#inbox.length === 0 && !this.#hasWork(task, definitions())) {
        if (await this.#isIdle()) {
          await this.#recordPassedOver();
          succeeded();
        }
        continue;
      }
      await this.#gather(size);
      const waiting = this.#inbox.splice(0, size);
      if (this.#held && this.#inbox.length < this.#mostWaiting / 2) {
        this.#held = false;
        flow.letOn(this.partition);
      }
      const began = performance.now();
      this.#batchBegan = began;
      const inputs = await this.#decode(waiting);
      const moment = this.#momentOf(waiting.length);
      if (moment.now >= this.#wakeAt) this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#definitions = definitions();
      await processInputs(
        task,
        this.#state as DiskState,
        inputs,
        { definitions: this.#definitions, signal, moment },
        {
          encode: (work, done) => encodeBatch(work, done as NextInput[], this.#totals, this.#counter, this.#around),
          commit: async (batch, work) => {
            this.#goesOn = work.wantsMore;
            this.#wakeAt = work.wakesAt ?? this.#wakeAt;
            if (!work.isEmpty) await this.#commit(batch);
            succeeded();
            metrics.settled(work);
          },
        },
      );
      metrics.batchDone(performance.now() - began);
      if (performance.now() - this.#passedOverAt > PASSED_OVER_MS) await this.#recordPassedOver();
    }
  }

  /** Whether there is something to do without inputs. */
  #hasWork(task: Task, definitions: Definitions): boolean {
    return this.#goesOn || (task.goesOn === true && (Date.now() >= this.#wakeAt || definitions !== this.#definitions));
  }

  /** @param taken how many records are in the batch */
  #momentOf(taken: number): Moment {
    let missing = taken + this.#inbox.length;
    for (const [topic, next] of this.#expected ?? []) missing += Math.max(0, (this.#ends.get(topic) ?? 0) - next);
    const { partitions = 0 } = this.#around.inputs.values().next().value ?? {};
    return {
      now: Date.now(),
      // What is read committed never reaches the end while others write: within a batch of it is near enough.
      isCaughtUp: missing <= this.#batchSize,
      partition: this.partition,
      partitions,
      positionOf: (input) => this.#totals.get(this.#counter.topicOf(input))?.next ?? 0,
    };
  }

  /**
   * Batches begin at least so far apart, unless there is work for a full one: what comes meanwhile shares a transaction, which costs the
   * broker the same whatever is in it. What comes after a rest is taken at once.
   */
  async #gather(size: number): Promise<void> {
    const rest = this.#batchBegan + BATCH_EVERY_MS - performance.now();
    if (rest > 0 && this.#inbox.length < size)
      await sleep(rest, undefined, { signal: this.#released.signal }).catch(() => undefined);
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
   * Markers and aborted records come after the last record that was worked on. Once a topic is quiet the position is moved past them:
   * else they would expire one day and look like records that were never read.
   */
  async #recordPassedOver(): Promise<void> {
    this.#passedOverAt = performance.now();
    if (this.#state) this.#around.metrics.stateBytes(this.partition, this.#state.bytes);
    const waiting = new Set(this.#inbox.map(({ input }) => this.#counter.topicOf(input)));
    const behind = [...(this.#expected ?? [])].filter(
      ([topic, next]) => !waiting.has(topic) && next > (this.#totals.get(topic)?.next ?? 0),
    );
    await this.#recordPositions(behind);
  }

  async #decode(waiting: readonly Waiting[]): Promise<NextInput[]> {
    const { inputs } = this.#around;
    for (const [name, { codec }] of inputs) await codec.prepare(valuesOf(waiting, name));
    return waiting.map(({ input, message, next }) => {
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
        return { ...base, value: inputs.get(input)?.codec.decode(raw) };
      } catch (error) {
        return { ...base, value: null, undecodable: error instanceof Error ? error.message : 'unknown reason' };
      }
    });
  }

  /** To Kafka first; the local state follows what is committed. */
  async #commit(batch: EncodedBatch): Promise<void> {
    if (!this.#producer) throw new LostInfrastructure('no producer');
    const now = Date.now();
    const began = performance.now();
    const { changes, offset } = await transact(this.#producer, batch, this.partition, now, this.#around);
    this.#around.metrics.committed(performance.now() - began);
    await this.#state?.apply(changes, { offset, at: now, cluster: this.#cluster });
    for (const value of batch.totals) this.#totals.set(value.topic, value);
    this.#tellKept();
  }

  #tellKept(): void {
    this.#around.metrics.kept(this.partition, this.#totals.get('')?.outcomes ?? {});
  }

  async #letGo(): Promise<void> {
    this.#expected = undefined;
    this.#inbox = [];
    this.#around.metrics.released(this.partition);
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
