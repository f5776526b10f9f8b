import type { Accounting, EventRejected } from '#schemas/generated/records.ts';
import { keptOfRejected } from '#shared/accounting/kept-of-rejected.ts';
import type { OutRecord } from '#shared/kafka/in-chunks.ts';
import { partitionOf } from '#shared/kafka/partition-of.ts';
import type { Change } from './disk-state.ts';
import { storeCodec, type TaskSurroundings } from './surroundings.ts';
import { type Counter, type NextInput, positionsAfter, type Totals, totalsAfter } from './transaction-plan.ts';
import type { Rejected, Workspace } from './workspace.ts';

/** All that one transaction is to hold, ready to be sent. */
export interface EncodedBatch {
  readonly records: readonly OutRecord[];
  readonly changes: readonly Change[];
  readonly totals: readonly Accounting[];
  /** Offsets to go on from, by topic. */
  readonly positions: ReadonlyMap<string, number>;
}

/** Kafka's default limit of a message, less what it adds. */
export const MOST_BYTES = 1_000_000;

type Around = Pick<TaskSurroundings, 'task' | 'outputs' | 'rejected' | 'storeCodecs'>;

/**
 * Turns what a batch wants into bytes. Pure.
 * @throws when a value does not fit its schema, or Kafka: the inputs that it came from are then found and rejected.
 */
export function encodeBatch(
  work: Workspace,
  inputs: readonly NextInput[],
  totals: Totals,
  counter: Counter,
  around: Around,
): EncodedBatch {
  const positions = positionsAfter(inputs, counter.topicOf);
  const records: OutRecord[] = [];
  for (const { output, key, value, timestamp } of work.emitted) {
    const channel = around.outputs.get(output);
    if (!channel) throw new Error(`the task ${around.task.name} has no output ${output}`);
    const bytes = value === null ? null : fitting(channel.codec.encode(value), output);
    records.push({
      topic: channel.topic,
      partition: partitionOf(key, channel.partitions),
      key,
      value: bytes,
      timestamp,
    });
  }
  const { rejected } = around;
  for (const one of work.rejected) {
    const value = rejectionOf(one, counter);
    const key = value.source ?? '';
    const { timestamp } = one.input;
    records.push({
      topic: rejected.topic,
      partition: partitionOf(key, rejected.partitions),
      key,
      value: rejected.codec.encode(value),
      timestamp,
    });
  }
  const changes: Change[] = [];
  for (const [store, byKey] of work.changes) {
    const codec = byKey.size > 0 ? storeCodec(around, store) : undefined;
    for (const [key, value] of byKey) {
      if (value === undefined || !codec) changes.push({ store, key, bytes: null });
      else changes.push({ store, key, bytes: fitting(codec.encode(value as never), store), value });
    }
  }
  return { records, changes, totals: totalsAfter(totals, work, positions, counter), positions };
}

function fitting(bytes: Buffer, what: string): Buffer {
  if (bytes.length > MOST_BYTES)
    throw new RangeError(`a record of ${what} has ${bytes.length} bytes, more than Kafka takes`);
  return bytes;
}

/** What goes to `events.rejected`: the event's own payload where it has one, else the record's bytes. */
function rejectionOf({ input, reason, message, violations }: Rejected, counter: Counter): EventRejected {
  const value = (input.value ?? {}) as {
    readonly source?: unknown;
    readonly message_id?: unknown;
    readonly payload?: unknown;
    readonly definitions?: EventRejected['definitions'];
  };
  const payload = typeof value.payload === 'string' ? Buffer.from(value.payload) : (input.raw ?? Buffer.alloc(0));
  return {
    stage: counter.service,
    reason,
    ...keptOfRejected(payload, message),
    source: typeof value.source === 'string' ? value.source : null,
    message_id: typeof value.message_id === 'string' ? value.message_id : null,
    received_at: input.timestamp,
    rejected_at: input.timestamp,
    violations: violations ?? [],
    topic: counter.topicOf(input.input),
    partition: input.partition,
    offset: input.offset,
    definitions: value.definitions ?? [],
    generation: counter.generation,
  };
}
