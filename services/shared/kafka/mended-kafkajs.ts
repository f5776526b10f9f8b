/**
 * Mends kafkajs 2.2.4 in twelve places, and so must be evaluated before kafkajs is loaded: everything that uses kafkajs imports it
 * through `client.ts`.
 */
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32c } from './crc32c.ts';
import { recordDecoder } from './decode-record.ts';
import { produceRequest } from './produce-request.ts';
import { withoutAborted } from './read-committed.ts';
import { sendMessages } from './send-messages.ts';

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
replace('protocol/recordBatch/record/v0/decoder.js', recordDecoder);
replace('protocol/recordBatch/crc32C/crc32C.js', () => crc32c);
replace('protocol/requests/produce/v3/request.js', produceRequest);
// `send-messages.ts` looks at every partition's answer, also where one has failed.
replace('protocol/requests/produce/v3/response.js', (original: object) => ({
  ...original,
  parse: async (data: object) => data,
}));
replace('protocol/request.js', () => framed);
replace('producer/sendMessages.js', () => sendMessages(require('kafkajs/src/protocol/error').createErrorFromCode));

/** A request with its size and header before it: the bytes for the socket, copied once. */
async function framed({ correlationId, clientId, request }: Framing): Promise<{ readonly buffer: Buffer }> {
  const { buffer: payload } = await request.encode();
  const header = 2 + 2 + 4 + 2 + Buffer.byteLength(clientId);
  const buffer = Buffer.allocUnsafe(4 + header + payload.length);
  let at = buffer.writeInt32BE(header + payload.length, 0);
  at = buffer.writeInt16BE(request.apiKey, at);
  at = buffer.writeInt16BE(request.apiVersion, at);
  at = buffer.writeInt32BE(correlationId, at);
  at = buffer.writeInt16BE(Buffer.byteLength(clientId), at);
  at += buffer.write(clientId, at);
  payload.copy(buffer, at);
  return { buffer };
}
interface Framing {
  readonly correlationId: number;
  readonly clientId: string;
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly encode: () => Promise<{ readonly buffer: Buffer }>;
  };
}

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

interface Connection {
  chunks: Buffer[];
  bytesBuffered: number;
  bytesNeeded: number;
  isConnected(): boolean;
  connect(): Promise<boolean>;
}
const LENGTH_SIZE = 4;
const connection = (require('kafkajs/src/network/connection') as { prototype: Connection }).prototype;
const connect = connection.connect;
// It would take the first answer of the new connection for the rest of one that was cut off with the old, and throw where nobody catches.
connection.connect = function (this: Connection) {
  if (!this.isConnected()) Object.assign(this, { chunks: [], bytesBuffered: 0, bytesNeeded: LENGTH_SIZE });
  return connect.call(this);
};

interface Cluster {
  findGroupCoordinator(of: { groupId: string; coordinatorType?: number }): Promise<Broker>;
  findBroker(of: { nodeId: number }): Promise<Broker>;
}
interface Broker {
  readonly nodeId: number;
  addPartitionsToTxn(asked: object): Promise<unknown>;
  addOffsetsToTxn(asked: object): Promise<unknown>;
}
/** How long a coordinator is believed to be where it was. Who is told otherwise meanwhile asks again, or starts anew. */
const BELIEVED_MS = 1_000;
const cluster = (require('kafkajs/src/cluster') as { prototype: Cluster }).prototype;
const findGroupCoordinator = cluster.findGroupCoordinator;
const coordinators = new WeakMap<Cluster, Map<string, { readonly nodeId: number; readonly until: number }>>();
// It would ask for coordinators four times in every transaction, one round trip after the other: nearly half of them.
cluster.findGroupCoordinator = async function (this: Cluster, { groupId, coordinatorType = 0 }) {
  const known = coordinators.get(this) ?? new Map();
  coordinators.set(this, known);
  const place = `${coordinatorType}/${groupId}`;
  const believed = known.get(place);
  if (believed && believed.until > performance.now()) return this.findBroker(believed);
  const broker = await findGroupCoordinator.call(this, { groupId, coordinatorType }).catch((error) => {
    // It would give up for good when no broker can be reached at that moment.
    if (error.name === 'KafkaJSGroupCoordinatorNotFound') error.retriable = true;
    throw error;
  });
  known.set(place, { nodeId: broker.nodeId, until: performance.now() + BELIEVED_MS });
  return broker;
};

/** After a commit the coordinator needs a moment before it takes the next transaction's partitions. */
const MOMENT_MS = 4;
const MOST_MOMENTS = 2_500;
const broker = (require('kafkajs/src/broker') as { prototype: Broker }).prototype;
// It would give the transaction up, or ask for everything anew.
for (const ask of ['addPartitionsToTxn', 'addOffsetsToTxn'] as const) {
  const original = broker[ask];
  broker[ask] = async function (this: Broker, asked: object) {
    for (let moments = 0; ; moments++) {
      try {
        return await original.call(this, asked);
      } catch (error) {
        if ((error as { type?: string }).type !== 'CONCURRENT_TRANSACTIONS' || moments === MOST_MOMENTS) throw error;
        await sleep(MOMENT_MS);
      }
    }
  };
}
