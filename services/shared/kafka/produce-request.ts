import type { Message } from 'kafkajs';
import { crc32c } from './crc32c.ts';
import { sizeOfRecord, writeRecord } from './encode-record.ts';

interface Partition {
  readonly partition: number;
  readonly firstSequence?: number;
  readonly messages: readonly Message[];
}

/** What kafkajs wants sent: one request to one broker. */
export interface Produce {
  readonly acks: number;
  readonly timeout: number;
  readonly transactionalId?: string | null;
  readonly producerId?: { toString(): string };
  readonly producerEpoch?: number;
  readonly compression?: number;
  readonly topicData: readonly { readonly topic: string; readonly partitions: readonly Partition[] }[];
}

/** A request as kafkajs takes it. */
interface Request {
  readonly encode: () => Promise<{ readonly buffer: Buffer }>;
}

/** A record batch before its records. */
const BATCH_HEADER = 61;
/** Where in it that begins which the checksum covers, and the checksum itself. */
const ATTRIBUTES = 21;
const CHECKSUM = 17;
/** First offset and the length itself: not counted in the batch's length. */
const UNCOUNTED = 12;
const MAGIC = 2;
const TRANSACTIONAL = 16;

/**
 * A produce request (Kafka protocol, version 3 and on), written once into a buffer of its size. kafkajs encodes each record, batch,
 * partition, topic and request into buffers of their own and copies from one into the next, at about a fifth of the CPU of a task.
 * What is compressed or has headers goes to kafkajs' own encoder.
 */
export const produceRequest =
  (original: (produce: Produce) => Request) =>
  (produce: Produce): Request => {
    const request = original(produce);
    return isPlain(produce) ? { ...request, encode: async () => ({ buffer: encode(produce) }) } : request;
  };

const isPlain = ({ compression = 0, topicData }: Produce): boolean =>
  compression === 0 &&
  topicData.every(({ partitions }) =>
    partitions.every(({ messages }) =>
      messages.every(
        ({ key, value, headers }) => isPart(key) && isPart(value) && (!headers || Object.keys(headers).length === 0),
      ),
    ),
  );

const isPart = (part: unknown): boolean => part == null || typeof part === 'string' || Buffer.isBuffer(part);

function encode(produce: Produce): Buffer {
  const { acks, timeout, transactionalId = null, topicData } = produce;
  const now = Date.now();
  const batches = topicData.map(({ partitions }) => partitions.map((one) => new Batch(one, now)));
  let size = sizeOfString(transactionalId) + 2 + 4 + 4;
  topicData.forEach(({ topic }, t) => {
    size += sizeOfString(topic) + 4;
    for (const batch of batches[t] as Batch[]) size += 4 + 4 + batch.size;
  });
  const target = Buffer.allocUnsafe(size);
  let at = writeString(target, 0, transactionalId);
  at = target.writeInt16BE(acks, at);
  at = target.writeInt32BE(timeout, at);
  at = target.writeInt32BE(topicData.length, at);
  topicData.forEach(({ topic, partitions }, t) => {
    at = writeString(target, at, topic);
    at = target.writeInt32BE(partitions.length, at);
    for (const batch of batches[t] as Batch[]) {
      at = target.writeInt32BE(batch.partition, at);
      at = target.writeInt32BE(batch.size, at);
      at = batch.write(target, at, produce);
    }
  });
  return target;
}

const sizeOfString = (text: string | null): number => 2 + (text === null ? 0 : Buffer.byteLength(text));

function writeString(target: Buffer, at: number, text: string | null): number {
  if (text === null) return target.writeInt16BE(-1, at);
  const size = target.write(text, at + 2);
  target.writeInt16BE(size, at);
  return at + 2 + size;
}

/** A record batch: the messages of one partition. */
class Batch {
  readonly partition: number;
  readonly size: number;
  readonly #messages: readonly Message[];
  readonly #firstSequence: number;
  readonly #timestamps: readonly number[];
  readonly #first: number;
  readonly #last: number;

  /** @param now for messages that have no time of their own, milliseconds */
  constructor({ partition, messages, firstSequence = 0 }: Partition, now: number) {
    this.partition = partition;
    this.#messages = messages;
    this.#firstSequence = firstSequence;
    this.#timestamps = messages.map(({ timestamp }) => (timestamp == null ? now : Number(timestamp)));
    let first = Number.POSITIVE_INFINITY;
    let last = Number.NEGATIVE_INFINITY;
    for (const timestamp of this.#timestamps) {
      if (timestamp < first) first = timestamp;
      if (timestamp > last) last = timestamp;
    }
    this.#first = first;
    this.#last = last;
    let size = BATCH_HEADER;
    messages.forEach((message, n) => {
      size += sizeOfRecord(message, (this.#timestamps[n] as number) - first, n);
    });
    this.size = size;
  }

  /** @returns where it ends. */
  write(target: Buffer, start: number, { transactionalId, producerId = -1, producerEpoch = 0 }: Produce): number {
    let at = target.writeBigInt64BE(0n, start);
    at = target.writeInt32BE(this.size - UNCOUNTED, at);
    at = target.writeInt32BE(0, at);
    at = target.writeInt8(MAGIC, at);
    at = target.writeInt16BE(transactionalId ? TRANSACTIONAL : 0, start + ATTRIBUTES);
    at = target.writeInt32BE(this.#messages.length - 1, at);
    at = target.writeBigInt64BE(BigInt(this.#first), at);
    at = target.writeBigInt64BE(BigInt(this.#last), at);
    at = target.writeBigInt64BE(BigInt(producerId.toString()), at);
    at = target.writeInt16BE(producerEpoch, at);
    at = target.writeInt32BE(this.#firstSequence, at);
    at = target.writeInt32BE(this.#messages.length, at);
    this.#messages.forEach((message, n) => {
      at = writeRecord(target, at, message, (this.#timestamps[n] as number) - this.#first, n);
    });
    target.writeUInt32BE(crc32c(target.subarray(start + ATTRIBUTES, at)), start + CHECKSUM);
    return at;
  }
}
