import { Definitions } from '#shared/definitions/definitions.ts';
import { placeOf } from './in-key-order.ts';
import { processInputs } from './process-inputs.ts';
import type { Input, Moment, Stores, Task } from './task.ts';
import type { Emitted, State, Workspace } from './workspace.ts';

/** Where the moment does not matter. */
export const someMoment: Moment = {
  now: 0,
  isCaughtUp: true,
  partition: 0,
  partitions: 1,
  positionOf: () => 0,
};

/** Keys are kept in order by so many of their first characters. */
const BEGINNING = 4;

/** A task's state in memory: for tests and benchmarks of a core, with the same contract as the one on disk. */
export class MemoryState implements State {
  readonly #stores: Stores;
  readonly #values = new Map<string, Map<string, unknown>>();
  readonly #members = new Map<string, Set<string>>();
  /** By store and the first characters of the keys: the keys, sorted. */
  readonly #keys = new Map<string, Map<string, string[]>>();

  constructor(stores: Stores) {
    this.#stores = stores;
    for (const name of Object.keys(stores)) {
      this.#values.set(name, new Map());
      this.#members.set(name, new Set());
      this.#keys.set(name, new Map());
    }
  }

  get(store: string, key: string): unknown {
    return this.#values.get(store)?.get(key);
  }

  holds(store: string, member: string): boolean {
    return this.#members.get(store)?.has(member) === true;
  }

  *scan(store: string, prefix: string, after: string): Iterable<[key: string, value: unknown]> {
    const values = this.#values.get(store) as Map<string, unknown>;
    const keys = this.#keys.get(store) as Map<string, string[]>;
    const beginnings = prefix.length < BEGINNING ? [...keys.keys()].sort() : [prefix.slice(0, BEGINNING)];
    for (const beginning of beginnings) {
      const sorted = keys.get(beginning) ?? [];
      for (let at = placeOf(sorted, after > prefix ? after : prefix); at < sorted.length; at++) {
        const key = sorted[at] as string;
        if (!key.startsWith(prefix)) break;
        if (key !== after) yield [key, values.get(key)];
      }
    }
  }

  apply(work: Workspace): void {
    for (const [store, changes] of work.changes) {
      const values = this.#values.get(store) as Map<string, unknown>;
      const members = this.#members.get(store) as Set<string>;
      for (const [key, value] of changes) {
        if (value === undefined) {
          if (values.delete(key)) this.#index(store, key, false);
          continue;
        }
        if (!values.has(key)) this.#index(store, key, true);
        values.set(key, value);
        for (const member of this.#stores[store]?.members?.(value as never) ?? []) members.add(member);
      }
    }
  }

  #index(store: string, key: string, isNew: boolean): void {
    const keys = this.#keys.get(store) as Map<string, string[]>;
    const beginning = key.slice(0, BEGINNING);
    const sorted = keys.get(beginning) ?? [];
    keys.set(beginning, sorted);
    sorted.splice(placeOf(sorted, key), isNew ? 0 : 1, ...(isNew ? [key] : []));
  }

  entries(store: string): [string, unknown][] {
    return [...(this.#values.get(store) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

export interface MemoryInput {
  readonly input: string;
  readonly key: string;
  readonly value: unknown;
  readonly timestamp?: number;
  /** Counted by itself per input when absent. */
  readonly offset?: number;
}

export interface MemoryRun {
  readonly emitted: readonly Emitted[];
  /** Outcome counts of this run over all inputs. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** The same by input. */
  readonly byInput: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** What was counted in this run, counted stores among it. */
  readonly counts: Readonly<Record<string, number>>;
  readonly rejected: readonly { readonly input: Input; readonly reason: string }[];
  /** Whether the task has more to do by itself. */
  readonly goesOn: boolean;
  /** When it has, milliseconds, if it said so. */
  readonly wakesAt: number | undefined;
}

type MemoryCircumstances = Partial<Pick<Moment, 'now' | 'isCaughtUp'>> & { readonly signal?: AbortSignal };

/** One partition of a task, run in memory batch by batch. */
export class MemoryPartition {
  readonly state: MemoryState;
  readonly #task: Task;
  readonly #partition: number;
  readonly #partitions: number;
  readonly #next = new Map<string, number>();

  constructor(task: Task, partition: number, partitions: number) {
    this.#task = task;
    this.#partition = partition;
    this.#partitions = partitions;
    this.state = new MemoryState(task.stores);
  }

  /** As if it had begun where the input's log had come to then. */
  standAt(input: string, offset: number): void {
    this.#next.set(input, offset);
  }

  async run(
    inputs: readonly MemoryInput[],
    definitions: Definitions = new Definitions(),
    { signal = new AbortController().signal, ...when }: MemoryCircumstances = {},
  ): Promise<MemoryRun> {
    const positions = new Map(this.#next);
    const emitted: Emitted[] = [];
    const outcomes: Record<string, number> = {};
    const byInput: Record<string, Record<string, number>> = {};
    const counts: Record<string, number> = {};
    const rejected: { input: Input; reason: string }[] = [];
    const batch = inputs.map((input): Input => {
      const offset = input.offset ?? this.#next.get(input.input) ?? 0;
      this.#next.set(input.input, offset + 1);
      return {
        input: input.input,
        partition: this.#partition,
        offset,
        key: input.key,
        value: input.value,
        timestamp: input.timestamp ?? 0,
        raw: null,
      };
    });
    if (batch.length === 0 && !this.#task.goesOn)
      return { emitted, outcomes, byInput, counts, rejected, goesOn: false, wakesAt: undefined };
    let goesOn = false;
    let wakesAt: number | undefined;
    const commit = async (work: Workspace): Promise<void> => {
      goesOn = work.wantsMore;
      wakesAt = work.wakesAt;
      this.state.apply(work);
      emitted.push(...work.emitted);
      rejected.push(...work.rejected);
      for (const [name, by] of work.grown) counts[name] = (counts[name] ?? 0) + by;
      for (const [input, settled] of work.outcomes) {
        byInput[input] ??= {};
        for (const [outcome, count] of settled)
          for (const sums of [outcomes, byInput[input]]) sums[outcome] = (sums[outcome] ?? 0) + count;
      }
    };
    const moment: Moment = {
      ...someMoment,
      ...when,
      partition: this.#partition,
      partitions: this.#partitions,
      positionOf: (input) => positions.get(input) ?? 0,
    };
    const circumstances = { definitions, signal, moment };
    await processInputs(this.#task, this.state, batch, circumstances, { encode: (work) => work, commit });
    return { emitted, outcomes, byInput, counts, rejected, goesOn, wakesAt };
  }

  entries(store: string): [string, unknown][] {
    return this.state.entries(store);
  }
}

/** One partition of a task in memory. The task's types are checked where it is defined, not here. */
export const memoryPartition = (task: unknown, partition: number, partitions = 1): MemoryPartition =>
  new MemoryPartition(task as Task, partition, partitions);
