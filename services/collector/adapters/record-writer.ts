import { setTimeout as sleep } from 'node:timers/promises';
import { byTopic } from '#shared/kafka/by-topic.ts';
import { type KafkaClient, Partitioners, type Producer } from '#shared/kafka/client.ts';
import { inChunks, type OutRecord } from '#shared/kafka/in-chunks.ts';
import { BackOff } from '#shared/service/back-off.ts';
import type { Log } from '#shared/service/log.ts';

/** Kafka does not take records now; the sender should come back. */
export class Unavailable extends Error {
  readonly code: 'overloaded' | 'kafka_unavailable';

  constructor(code: Unavailable['code'], message: string) {
    super(message);
    this.code = code;
  }
}

interface Waiting {
  readonly records: readonly OutRecord[];
  readonly bytes: number;
  readonly since: number;
  readonly done: () => void;
  readonly failed: (error: Unavailable) => void;
}

export interface WriterLimits {
  /** Bytes that may wait or be under way. Beyond, new records are turned away. */
  readonly mostBytes: number;
  /** How long a record may wait, milliseconds. */
  readonly longestWaitMs: number;
}

/** No request may hang: a broker that does not answer within a few tries is not there. */
const retry = { initialRetryTime: 50, factor: 0, multiplier: 2, maxRetryTime: 1_000, retries: 6 };
/** One send holds at most so many bytes, so that the first of a long queue are not kept waiting for the last. */
const SEND_BYTES = 2 * 1024 * 1024;

/**
 * Writes records to Kafka and says when Kafka has them (`acks=all`). While one send is under way the next one gathers: alone at low
 * load, in large batches at high load, without waiting for either.
 */
export class RecordWriter {
  readonly #kafka: KafkaClient;
  readonly #limits: WriterLimits;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  #queue: Waiting[] = [];
  #bytes = 0;
  #available = false;
  #wake: () => void = () => {};
  #running: Promise<void> | undefined;

  constructor(kafka: KafkaClient, limits: WriterLimits, log: Log) {
    this.#kafka = kafka;
    this.#limits = limits;
    this.#log = log;
  }

  /** Whether Kafka took what was last given to it. */
  get available(): boolean {
    return this.#available;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves when Kafka has acknowledged all of them. @throws Unavailable */
  write(records: readonly OutRecord[]): Promise<void> {
    let bytes = 0;
    for (const { value } of records) bytes += (value?.length ?? 0) + 100;
    if (this.#bytes + bytes > this.#limits.mostBytes) {
      return Promise.reject(new Unavailable('overloaded', 'Too much is waiting to be stored'));
    }
    if (!this.#available) return Promise.reject(new Unavailable('kafka_unavailable', 'Events cannot be stored now'));
    this.#bytes += bytes;
    return new Promise((resolve, reject) => {
      this.#queue.push({ records, bytes, since: performance.now(), done: resolve, failed: reject });
      this.#wake();
    });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Writes what is waiting, then stops. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#running;
  }

  /** A producer that failed is thrown away: its sequence numbers may not be those that the broker has. */
  async #run(): Promise<void> {
    const backOff = new BackOff(200, 2_000);
    const { signal } = this.#stopping;
    while (!signal.aborted || this.#queue.length > 0) {
      const producer = this.#kafka.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        createPartitioner: Partitioners.DefaultPartitioner,
        retry,
      });
      try {
        await producer.connect();
        if (!this.#available) this.#log.info('Kafka takes events');
        this.#available = true;
        backOff.succeeded();
        await this.#drain(producer);
      } catch (error) {
        if (this.#available)
          this.#log.error({ err: error }, 'Kafka does not take events; senders are told to come back');
        this.#available = false;
        this.#fail(this.#queue.splice(0), new Unavailable('kafka_unavailable', 'Events cannot be stored now'));
        await backOff.failed(signal);
        if (signal.aborted) break;
      } finally {
        await producer.disconnect().catch(() => undefined);
      }
    }
    this.#available = false;
  }

  async #drain(producer: Producer): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted || this.#queue.length > 0) {
      if (this.#queue.length === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        // What arrives in the same turn of the loop goes together.
        await sleep(0);
        continue;
      }
      const batch = this.#take();
      try {
        for (const chunk of inChunks(batch.flatMap(({ records }) => records))) {
          await producer.sendBatch({ acks: -1, topicMessages: byTopic(chunk) });
        }
      } catch (error) {
        this.#fail(batch, new Unavailable('kafka_unavailable', 'Events cannot be stored now'));
        throw error;
      }
      for (const { bytes, done } of batch) {
        this.#bytes -= bytes;
        done();
      }
    }
  }

  /** The next send; what has waited too long is given up first. */
  #take(): Waiting[] {
    const tooOld = performance.now() - this.#limits.longestWaitMs;
    const expired = this.#queue.filter(({ since }) => since < tooOld);
    if (expired.length > 0) {
      this.#queue = this.#queue.filter(({ since }) => since >= tooOld);
      this.#fail(expired, new Unavailable('overloaded', 'Events waited too long to be stored'));
    }
    let bytes = 0;
    let count = 0;
    while (count < this.#queue.length && (count === 0 || bytes < SEND_BYTES)) bytes += this.#queue[count++]?.bytes ?? 0;
    return this.#queue.splice(0, count);
  }

  #fail(waiting: readonly Waiting[], error: Unavailable): void {
    for (const { bytes, failed } of waiting) {
      this.#bytes -= bytes;
      failed(error);
    }
  }
}
