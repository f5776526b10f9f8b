import type { RecordName, Records } from '#schemas/generated/records.ts';
import type { Topic } from '#schemas/topics.ts';
import type { Definitions } from '#shared/definitions/definitions.ts';

/** Topics by the name that the core gives them; the core never names a topic itself. */
export type Channels = Readonly<Record<string, { readonly value: RecordName }>>;

/** A keyed collection of one kind of record, rebuilt from the task's changelog. */
export interface StoreSpec<N extends RecordName = RecordName> {
  readonly record: N;
  /**
   * What a value holds, for `Work.holds`: each an even number of hexadecimal digits. Kept locally as a set of its own, not logged;
   * rebuilt with the values. Such a store only grows: no value is removed, and a new one holds what the one before it held.
   */
  members?(value: Records[N]): readonly string[];
  /**
   * Has its values counted: the number is part of every transaction (in the accounting, as an outcome of the row without a topic), and a
   * gauge by partition. A store that was filled without being counted cannot become counted: it would begin at zero.
   */
  readonly counted?: { readonly name: string; readonly help: string };
}
export type Stores = Readonly<Record<string, StoreSpec>>;

/** One record of an input topic, decoded. */
export interface Input<Name extends string = string, Value = unknown> {
  /** The name that the task gave the topic. */
  readonly input: Name;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  /** Null for a tombstone. */
  readonly value: Value | null;
  /** Time of the Kafka record: the received time, milliseconds. */
  readonly timestamp: number;
  /** The value's bytes as they were in the topic. */
  readonly raw: Buffer | null;
  /** Why the value could not be read; the loop rejects such an input, the core never sees it. */
  readonly undecodable?: string;
}
export type InputOf<I extends Channels> = { [N in keyof I & string]: Input<N, Records[I[N]['value']]> }[keyof I &
  string];

/**
 * One batch of work on one partition: what the core reads and what it wants done. Reads see the batch's own writes. Nothing
 * takes effect before the whole batch is committed, in one Kafka transaction with its input offsets.
 */
export interface Work<S extends Stores = Stores, O extends Channels = Channels> {
  get<N extends keyof S & string>(store: N, key: string): Records[S[N]['record']] | undefined;
  /** Whether any value of the store holds this member. */
  holds<N extends keyof S & string>(store: N, member: string): boolean;
  /** Values are immutable: put a new one, never change one that was read. */
  /**
   * Values whose keys begin with these characters, in the order of their keys: at most `most`, after the key `after`. A prefix of
   * fewer than four characters is read through from its beginning.
   */
  scan<N extends keyof S & string>(
    store: N,
    prefix: string,
    after?: string,
    most?: number,
  ): [key: string, value: Records[S[N]['record']]][];
  put<N extends keyof S & string>(store: N, key: string, value: Records[S[N]['record']]): void;
  remove<N extends keyof S & string>(store: N, key: string): void;
  /** Adds to one of the task's `counts`. */
  count(name: string, by: number): void;
  /** Puts a record out; null is a tombstone. `timestamp` is the received time that the record carries on. */
  emit<N extends keyof O & string>(
    output: N,
    key: string,
    value: Records[O[N]['value']] | null,
    timestamp: number,
  ): void;
  readonly moment: Moment;
  /** Asks to be called again at once, also where no input has come by then. Only of tasks that say `goesOn`. */
  goOn(): void;
  /** The same at a time, milliseconds, give or take a second; what the last batch asked for counts. */
  wakeAt(time: number): void;
  /** Says what became of an input. Each input must be settled exactly once, or rejected. */
  settle(input: Input, outcome: string): void;
  /** Settles an input as rejected: it goes to `events.rejected` with its bytes and this reason. */
  reject(input: Input, reason: RejectionReason): void;
}

/** When a batch is worked on, and where: for what depends on the time by itself. */
export interface Moment {
  /** Wall clock at the batch's beginning, milliseconds. */
  readonly now: number;
  /** What was in the inputs a moment ago is in this batch, or was before it. */
  readonly isCaughtUp: boolean;
  readonly partition: number;
  /** How many there are of each input. */
  readonly partitions: number;
  /** Offset of the input below which everything was handled before this batch. */
  positionOf(input: string): number;
}

export interface RejectionReason {
  /** Stable code. */
  readonly reason: string;
  /** In words, without personal data. */
  readonly message: string;
  readonly violations?: readonly string[];
}

/**
 * All that makes a task: the loop does the rest. One instance of `process` serves every partition; it is a pure function of
 * its arguments (senders, which await the outside world, are the exception and must tolerate being run again).
 */
export interface Task<I extends Channels = Channels, O extends Channels = Channels, S extends Stores = Stores> {
  /** Names the consumer group, transactional ids, changelog and state folder. */
  readonly name: string;
  /** Partition p of every input is handled by the same task instance. */
  readonly inputs: { readonly [N in keyof I]: Topic & I[N] };
  readonly outputs: { readonly [N in keyof O]: Topic & O[N] };
  readonly stores: S;
  /** Sums that its stores do not tell, counted as a counted store is: with every transaction, from the first on, and as gauges by partition. */
  readonly counts?: Readonly<Record<string, { readonly name: string; readonly help: string }>>;
  /** Most inputs in one batch; 1,500 when absent. Fewer where each takes long, such as sending. */
  readonly batchSize?: number;
  /** Inputs of which a group that has never run begins at the log's end; of all others at its start. */
  readonly startsAtEndOf?: readonly (keyof I & string)[];
  /**
   * Whether it has work without inputs. Then it is called without any when a partition was taken over, when definitions have changed,
   * and after a batch that asked to `goOn`: what was left when it was interrupted is in its stores.
   */
  readonly goesOn?: boolean;
  /** @param signal aborts when the partition is to be let go: whoever awaits the outside world gives up with LostInfrastructure. */
  process(
    inputs: readonly InputOf<I>[],
    work: Work<S, O>,
    definitions: Definitions,
    signal: AbortSignal,
  ): void | Promise<void>;
}

/** Infers a task's channels from its literal. */
export const defineTask = <
  const I extends Readonly<Record<string, Topic>>,
  const O extends Readonly<Record<string, Topic>>,
  const S extends Stores,
>(
  task: Omit<Task<I, O, S>, 'inputs' | 'outputs'> & { readonly inputs: I; readonly outputs: O },
): Task<I, O, S> => task as Task<I, O, S>;
