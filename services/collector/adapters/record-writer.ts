import { setTimeout as sleep } from 'node:timers/promises';
import { byTopic } from '#shared/kafka/by-topic.ts';
import { type Admin, type KafkaClient, Partitioners, type Producer } from '#shared/kafka/client.ts';
import { inChunks, type OutRecord } from '#shared/kafka/in-chunks.ts';
import { SendFailed } from '#shared/kafka/send-messages.ts';
import { BackOff } from '#shared/service/back-off.ts';
import type { Log } from '#shared/service/log.ts';
import type { Service } from '#shared/service/service.ts';
import { within } from './within.ts';

/** Records were not taken. The sender should come back, unless they are too large: then they alone are more than may ever wait. */
export class NotTaken extends Error {
  readonly code: 'overloaded' | 'unavailable' | 'too_large';

  constructor(code: NotTaken['code'], message: string) {
    super(message);
    this.code = code;
  }
}

interface Waiting {
  readonly records: readonly OutRecord[];
  readonly bytes: number;
  readonly since: number;
  readonly done: () => void;
  readonly failed: (error: NotTaken) => void;
}

export interface WriterLimits {
  /** Bytes that may wait or be under way. Beyond, new records are turned away. */
  readonly mostBytes: number;
  /** How long a record may wait, milliseconds. */
  readonly longestWaitMs: number;
}

/** Tries again at short intervals for as long as anyone waits: `within` ends it. */
const retry = { initialRetryTime: 50, factor: 0, multiplier: 2, maxRetryTime: 500, retries: 30 };
/** One send holds at most so many bytes, so that the first of a long queue are not kept waiting for the last. */
const SEND_BYTES = 2 * 1024 * 1024;
/** What a waiting record takes besides its value; generous. */
const RECORD_OVERHEAD = 200;
/** What comes within this time goes to Kafka together, milliseconds. Under load the send before gives it more. */
const LINGER_MS = 2;
/** So often the broker is asked whether it is there, when nothing is sent. */
const PROBE_MS = 2_000;
const SWEEP_MS = 250;
/** Timers may go so much too early. Whoever still waited then would be sent again by another producer, and be stored twice. */
const TIMER_EARLY_MS = 5;

/**
 * Writes records to Kafka and says when Kafka has them (`acks=all`). While one send is under way the next one gathers.
 *
 * One send at a time, so that records of a partition keep their order. When it fails the same is sent again by the same producer, so
 * that Kafka stores it once also where only its answer was lost. Only a producer that Kafka refuses is thrown away.
 */
export class RecordWriter implements Service {
  readonly name = 'record-writer';
  readonly #kafka: KafkaClient;
  readonly #topic: string;
  readonly #limits: WriterLimits;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  #queue: Waiting[] = [];
  /** What is being sent, and how many of its first have been turned away meanwhile. */
  #sending: readonly Waiting[] = [];
  #turnedAway = 0;
  #bytes = 0;
  /** Since when Kafka takes nothing; undefined while it does. */
  #downSince: number | undefined = performance.now();
  #wake: () => void = () => {};
  #running: Promise<void> | undefined;

  /** @param topic one that Kafka is asked about to see whether it is there */
  constructor(kafka: KafkaClient, topic: string, limits: WriterLimits, log: Log) {
    this.#kafka = kafka;
    this.#topic = topic;
    this.#limits = limits;
    this.#log = log;
  }

  /** Whether Kafka took what was last given to it. */
  get available(): boolean {
    return this.#downSince === undefined;
  }

  /** Bytes that wait or are under way. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves when Kafka has acknowledged all of them. @throws NotTaken, at the latest after the longest wait */
  write(records: readonly OutRecord[]): Promise<void> {
    let bytes = 0;
    for (const { value } of records) bytes += (value?.length ?? 0) + RECORD_OVERHEAD;
    const { mostBytes } = this.#limits;
    if (bytes > mostBytes)
      return Promise.reject(new NotTaken('too_large', `More than ${mostBytes} bytes cannot be stored at once`));
    if (this.#bytes + bytes > mostBytes)
      return Promise.reject(new NotTaken('overloaded', 'Too much is waiting to be stored'));
    // A short failure is waited out: many senders give up after few tries.
    if (this.#downSince !== undefined && performance.now() - this.#downSince > this.#limits.longestWaitMs)
      return Promise.reject(new NotTaken('unavailable', 'Events cannot be stored now'));
    this.#bytes += bytes;
    return new Promise((resolve, reject) => {
      this.#queue.push({ records, bytes, since: performance.now(), done: resolve, failed: reject });
      this.#wake();
    });
  }

  async run(): Promise<void> {
    const sweeping = setInterval(() => this.#giveUp(), SWEEP_MS);
    this.#running = this.#write();
    await this.#running;
    clearInterval(sweeping);
  }

  /** Writes what is waiting, then stops. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#running;
  }

  get #goesOn(): boolean {
    return !this.#stopping.signal.aborted || this.#queue.length > 0;
  }

  /** What ends waiting early: to be told to stop. Once that has been done, what still waits gets all the time it has. */
  get #interruption(): AbortSignal | undefined {
    return this.#stopping.signal.aborted ? undefined : this.#stopping.signal;
  }

  async #write(): Promise<void> {
    const backOff = new BackOff(100, 1_000);
    while (this.#goesOn) {
      const producer = this.#kafka.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        createPartitioner: Partitioners.DefaultPartitioner,
        retry,
      });
      const admin = this.#kafka.admin({ retry });
      try {
        const connected = Promise.all([producer.connect(), admin.connect()]);
        await within(this.#limits.longestWaitMs, 'connecting', connected, this.#interruption);
        await this.#probe(admin);
        this.#takes();
        backOff.succeeded();
        await this.#drain(producer, admin);
      } catch (error) {
        this.#takesNothing(error);
        await backOff.failed(this.#interruption);
      }
      await within(1_000, 'disconnecting', Promise.all([producer.disconnect(), admin.disconnect()])).catch(
        () => undefined,
      );
    }
  }

  async #drain(producer: Producer, admin: Admin): Promise<void> {
    const { signal } = this.#stopping;
    while (this.#goesOn) {
      if (this.#queue.length === 0) {
        if (!(await this.#woken(PROBE_MS))) await this.#probe(admin);
        else if (!signal.aborted) await sleep(LINGER_MS);
        continue;
      }
      await this.#sendBatch(producer, this.#take());
    }
  }

  async #sendBatch(producer: Producer, batch: readonly Waiting[]): Promise<void> {
    this.#sending = batch;
    this.#turnedAway = 0;
    try {
      for (const chunk of inChunks(batch.flatMap(({ records }) => records)))
        await this.#send(() => producer.sendBatch({ acks: -1, topicMessages: byTopic(chunk) }));
      for (const { done } of batch) done();
      this.#settled(batch);
    } catch (error) {
      // Whether Kafka has them is not known. Another producer sends them again; what is there twice has the same message id.
      this.#settled(batch.slice(0, this.#turnedAway));
      this.#queue.unshift(...batch.slice(this.#turnedAway));
      throw error;
    } finally {
      this.#sending = [];
      this.#giveUp();
    }
  }

  /** Sends until Kafka has it, or until nobody waits for it any more. */
  async #send(attempt: () => Promise<unknown>): Promise<void> {
    const backOff = new BackOff(100, 1_000);
    for (let send = attempt; ; ) {
      const nobodyWaits = (this.#sending.at(-1)?.since ?? 0) + this.#limits.longestWaitMs + TIMER_EARLY_MS;
      try {
        await within(nobodyWaits - performance.now(), 'storing', send());
        this.#takes();
        return;
      } catch (error) {
        if (!(error instanceof SendFailed && error.again)) throw error;
        this.#takesNothing(error);
        send = error.again;
        await backOff.failed();
      }
    }
  }

  #settled(batch: readonly Waiting[]): void {
    for (const { bytes } of batch) this.#bytes -= bytes;
  }

  #takes(): void {
    if (this.#downSince !== undefined) this.#log.info('Kafka takes events');
    this.#downSince = undefined;
  }

  #takesNothing(error: unknown): void {
    if (this.#downSince !== undefined) return;
    this.#downSince = performance.now();
    this.#log.error({ err: error }, 'Kafka does not take events');
  }

  async #probe(admin: Admin): Promise<void> {
    await within(this.#limits.longestWaitMs / 2, 'asking Kafka', admin.fetchTopicMetadata({ topics: [this.#topic] }));
  }

  /** Waits for records, or to be stopped. @returns false when nothing came in time */
  #woken(milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => {};
        resolve(true);
      };
    });
  }

  #take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#queue.length && (count === 0 || bytes < SEND_BYTES)) bytes += this.#queue[count++]?.bytes ?? 0;
    return this.#queue.splice(0, count);
  }

  /** Turns away what has waited too long. The bytes of what is being sent are held until that ends. */
  #giveUp(): void {
    const tooOld = performance.now() - this.#limits.longestWaitMs;
    const tooLate = (one: Waiting | undefined): one is Waiting => one !== undefined && one.since <= tooOld;
    const late = (): NotTaken => new NotTaken('unavailable', 'Events could not be stored in time');
    for (let one = this.#sending[this.#turnedAway]; tooLate(one); one = this.#sending[++this.#turnedAway])
      one.failed(late());
    for (let one = this.#queue[0]; tooLate(one); one = this.#queue[0]) {
      this.#queue.shift();
      this.#settled([one]);
      one.failed(late());
    }
  }
}
