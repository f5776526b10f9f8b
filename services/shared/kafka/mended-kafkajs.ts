/**
 * Mends kafkajs 2.2.4 in seven places, and so must be evaluated before kafkajs is loaded: everything that uses kafkajs imports it
 * through `client.ts`.
 */
import { createRequire } from 'node:module';
import { crc32c } from './crc32c.ts';
import { recordDecoder } from './decode-record.ts';
import { recordEncoder } from './encode-record.ts';
import { groupByPartition } from './group-by-partition.ts';
import { withoutAborted } from './read-committed.ts';

const require = createRequire(import.meta.url);

/** Puts something else in the place of what a module of kafkajs exports. */
function replace<T>(module: string, replacement: (original: T) => unknown): void {
  const path = require.resolve(`kafkajs/src/${module}`);
  const original = require(path) as T;
  const loaded = require.cache[path];
  if (!loaded) throw new Error(`kafkajs has no module ${module}: does this version still need its replacement?`);
  loaded.exports = replacement(original);
}

replace('consumer/filterAbortedMessages.js', () => withoutAborted);
replace('producer/groupMessagesPerPartition.js', () => groupByPartition);
replace('protocol/recordBatch/record/v0/index.js', recordEncoder);
replace('protocol/recordBatch/record/v0/decoder.js', recordDecoder);
replace('protocol/recordBatch/crc32C/crc32C.js', () => crc32c);

interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}
const queue = (require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue }).prototype;
const schedule = queue.scheduleCheckPendingRequests;
// With nothing pending it would set a timer of minus 55 years after every response, about which Node complains.
queue.scheduleCheckPendingRequests = function (this: RequestQueue) {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
};

interface Encoder {
  buf: Buffer;
  readonly offset: number;
  ensureAvailable(length: number): void;
  writeEncoderArray(parts: readonly { readonly buf: Buffer; readonly buffer: Buffer }[]): Encoder;
}
const encoder = (require('kafkajs/src/protocol/encoder') as { prototype: Encoder }).prototype;
// It would zero every buffer that it grows into, at a tenth of the CPU of a task, only to write over it.
encoder.ensureAvailable = function (this: Encoder, length: number) {
  const needed = this.offset + length;
  if (needed <= this.buf.length) return;
  const larger = Buffer.allocUnsafe(Math.max(needed, this.buf.length * 2));
  this.buf.copy(larger, 0, 0, this.offset);
  this.buf = larger;
};
const writeEncoderArray = encoder.writeEncoderArray;
// It would grow, and copy, again and again.
encoder.writeEncoderArray = function (this: Encoder, parts) {
  let length = 0;
  for (const { buf } of parts) length += buf.length;
  this.ensureAvailable(length);
  return writeEncoderArray.call(this, parts);
};
