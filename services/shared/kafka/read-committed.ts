/**
 * kafkajs 2.2.4 hands aborted records to readers that asked for committed ones, when transactions interleave on a partition:
 * brokers list aborted transactions in the order of their aborts, its filter expects the order of their first offsets and
 * admits one per message. This replaces that one module, and must be evaluated before kafkajs is loaded; so everything that
 * uses kafkajs imports it through `client.ts`. `test/integrity/aborted-records.kafka.test.ts` shows that it is needed.
 */
import { createRequire } from 'node:module';

interface Message {
  readonly offset: string;
  readonly key: Uint8Array | null;
  readonly isControlRecord: boolean;
  readonly batchContext?: { readonly producerId: unknown; readonly inTransaction: boolean };
}
interface Aborted {
  readonly firstOffset: string;
  readonly producerId: unknown;
}

const ABORT_MARKER = 0;

/** The messages that belong to no aborted transaction. Control records stay: kafkajs takes them out itself. */
export function withoutAborted({
  messages,
  abortedTransactions,
}: {
  readonly messages: readonly Message[];
  readonly abortedTransactions?: readonly Aborted[] | null;
}): readonly Message[] {
  if (!abortedTransactions?.length) return messages;
  const upcoming = abortedTransactions
    .map((aborted) => ({ first: BigInt(aborted.firstOffset), producer: String(aborted.producerId) }))
    .sort((a, b) => (a.first < b.first ? -1 : 1));
  const open = new Set<string>();
  let next = 0;
  return messages.filter((message) => {
    const offset = BigInt(message.offset);
    for (let aborted = upcoming[next]; aborted && offset >= aborted.first; aborted = upcoming[++next])
      open.add(aborted.producer);
    const producer = String(message.batchContext?.producerId);
    if (message.isControlRecord) {
      if (message.key && Buffer.from(message.key).readInt16BE(2) === ABORT_MARKER) open.delete(producer);
      return true;
    }
    return !(message.batchContext?.inTransaction && open.has(producer));
  });
}

const require = createRequire(import.meta.url);
const path = require.resolve('kafkajs/src/consumer/filterAbortedMessages.js');
require(path);
const loaded = require.cache[path];
if (!loaded)
  throw new Error(
    'kafkajs has no module filterAbortedMessages: check whether this version still needs the replacement',
  );
loaded.exports = withoutAborted;
