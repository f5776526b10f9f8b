// kafkajs 2.2.4 with a `read_committed` that holds. Its own filter expects aborted transactions in the order of their first
// offsets; brokers list them in the order of their aborts. Where transactions of several writers interleave on a partition, it
// lets records of aborted ones through. Take kafkajs from here, and nowhere else in your program.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const filter = require.resolve('kafkajs/src/consumer/filterAbortedMessages.js');
require(filter);
require.cache[filter].exports = withoutAborted;
// Only now: kafkajs takes the filter when it is loaded.
export const { Kafka, logLevel } = require('kafkajs');

function withoutAborted({ messages, abortedTransactions }) {
  if (!abortedTransactions?.length) return messages;
  const upcoming = abortedTransactions
    .map(({ firstOffset, producerId }) => ({ first: BigInt(firstOffset), producer: String(producerId) }))
    .sort((a, b) => (a.first < b.first ? -1 : 1));
  const open = new Set();
  let next = 0;
  return messages.filter(({ offset, key, isControlRecord, batchContext }) => {
    while (next < upcoming.length && BigInt(offset) >= upcoming[next].first) open.add(upcoming[next++].producer);
    const producer = String(batchContext?.producerId);
    if (isControlRecord) {
      // The key of a marker is its version and its kind, two bytes each; kind 0 is an abort.
      if (key && Buffer.from(key).readInt16BE(2) === 0) open.delete(producer);
      return true; // kafkajs takes markers out itself
    }
    return !(batchContext?.inTransaction && open.has(producer));
  });
}
