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

/**
 * The messages that belong to no aborted transaction. kafkajs 2.2.4 gets this wrong when transactions interleave on a
 * partition: brokers list aborted transactions in the order of their aborts, its own filter expects the order of their first
 * offsets and admits one per message. `test/contract/aborted-records.test.ts` shows that this is needed. Control records stay: kafkajs takes them out itself. */
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
