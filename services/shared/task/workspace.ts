import { changedBy } from './in-key-order.ts';
import type { Channels, Input, Moment, RejectionReason, Stores, Work } from './task.ts';

/** What a task's stores hold between batches. */
export interface State {
  get(store: string, key: string): unknown;
  /** Whether any value of the store holds this member. */
  holds(store: string, member: string): boolean;
  /** Keys and values with this prefix, in the order of the keys, after `after`. */
  scan(store: string, prefix: string, after: string): Iterable<[key: string, value: unknown]>;
}

/** A record on its way out. */
export interface Emitted {
  readonly output: string;
  readonly key: string;
  readonly value: unknown;
  readonly timestamp: number;
}

export interface Rejected extends RejectionReason {
  readonly input: Input;
}

/** A batch's wishes, kept apart from the state until they are committed. */
export class Workspace implements Work<Stores, Channels> {
  readonly emitted: Emitted[] = [];
  readonly rejected: Rejected[] = [];
  /** Per store: key to new value, undefined where removed. */
  readonly changes = new Map<string, Map<string, unknown>>();
  /** Number of inputs by input name and outcome. */
  readonly outcomes = new Map<string, Map<string, number>>();
  /** Whether there is work to go on with. */
  wantsMore = false;
  /** When there is, milliseconds; undefined where nothing was said. */
  wakesAt: number | undefined;
  readonly moment: Moment;
  /** By counted store: how many more values it has after this batch; and by what else is counted. */
  readonly grown = new Map<string, number>();
  readonly #settled = new Set<Input>();
  readonly #members = new Map<string, Set<string>>();
  readonly #stores: Stores;
  readonly #state: State;

  constructor(stores: Stores, state: State, moment: Moment) {
    this.moment = moment;
    this.#stores = stores;
    this.#state = state;
    for (const [name, store] of Object.entries(stores)) {
      this.changes.set(name, new Map());
      if (store.members) this.#members.set(name, new Set());
    }
  }

  // The types that callers see are those of Work: the store's name decides the record. Inside they are unknown.
  get(store: string, key: string): never {
    const changes = this.#changesOf(store);
    const changed = changes.get(key);
    return (changed !== undefined || changes.has(key) ? changed : this.#state.get(store, key)) as never;
  }

  holds(store: string, member: string): boolean {
    return this.#members.get(store)?.has(member) || this.#state.holds(store, member);
  }

  scan(store: string, prefix: string, after = '', most = Number.POSITIVE_INFINITY): [string, never][] {
    const changed = [...this.#changesOf(store)]
      .filter(([key]) => key.startsWith(prefix) && key > after)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const found: [string, unknown][] = [];
    for (const entry of changedBy(changed, this.#state.scan(store, prefix, after))) {
      if (found.length >= most) break;
      found.push(entry);
    }
    return found as [string, never][];
  }

  put(store: string, key: string, value: unknown): void {
    if (this.#stores[store]?.counted && this.get(store, key) === undefined) this.count(store, 1);
    this.#changesOf(store).set(key, value);
    const members = this.#members.get(store);
    if (members) for (const member of this.#stores[store]?.members?.(value as never) ?? []) members.add(member);
  }

  remove(store: string, key: string): void {
    if (this.#members.has(store)) throw new Error(`nothing is removed from the store ${store}`);
    if (this.#stores[store]?.counted && this.get(store, key) !== undefined) this.count(store, -1);
    this.#changesOf(store).set(key, undefined);
  }

  count(name: string, by: number): void {
    if (by !== 0) this.grown.set(name, (this.grown.get(name) ?? 0) + by);
  }

  emit(output: string, key: string, value: unknown, timestamp: number): void {
    this.emitted.push({ output, key, value, timestamp });
  }

  goOn(): void {
    this.wantsMore = true;
  }

  wakeAt(time: number): void {
    this.wakesAt = time;
  }

  settle(input: Input, outcome: string): void {
    if (this.#settled.has(input)) throw new Error(`input ${input.input}@${input.offset} is settled twice`);
    this.#settled.add(input);
    const counts = this.outcomes.get(input.input) ?? new Map<string, number>();
    this.outcomes.set(input.input, counts.set(outcome, (counts.get(outcome) ?? 0) + 1));
  }

  reject(input: Input, reason: RejectionReason): void {
    this.settle(input, 'rejected');
    this.rejected.push({ input, ...reason });
  }

  /** Whether nothing would be written. */
  get isEmpty(): boolean {
    return this.#settled.size + this.emitted.length === 0 && [...this.changes.values()].every(({ size }) => size === 0);
  }

  /** @throws when an input was left without an outcome: the books of this batch would not balance. */
  assertBalanced(inputs: readonly Input[]): void {
    if (this.#settled.size === inputs.length) return;
    const open = inputs.find((input) => !this.#settled.has(input));
    throw new Error(`input ${open?.input}@${open?.offset} was left without an outcome`);
  }

  #changesOf(store: string): Map<string, unknown> {
    const changes = this.changes.get(store);
    if (!changes) throw new Error(`the task has no store named ${store}`);
    return changes;
  }
}
