import type { Channels, Input, RejectionReason, Stores, Work } from './task.ts';

/** What a task's stores hold between batches. */
export interface State {
  get(store: string, key: string): unknown;
  /** Key of the value whose index holds this string. */
  find(store: string, indexed: string): string | undefined;
  /** The entry with the smallest key above `key`; above nothing: the smallest. */
  after(store: string, key: string | undefined): readonly [string, unknown] | undefined;
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
  readonly #settled = new Set<Input>();
  readonly #indexed = new Map<string, Map<string, string>>();
  readonly #stores: Stores;
  readonly #state: State;

  constructor(stores: Stores, state: State) {
    this.#stores = stores;
    this.#state = state;
    for (const [name, store] of Object.entries(stores)) {
      this.changes.set(name, new Map());
      if (store.index) this.#indexed.set(name, new Map());
    }
  }

  // The types that callers see are those of Work: the store's name decides the record. Inside they are unknown.
  get(store: string, key: string): never {
    const changes = this.#changesOf(store);
    const changed = changes.get(key);
    return (changed !== undefined || changes.has(key) ? changed : this.#state.get(store, key)) as never;
  }

  find(store: string, indexed: string): string | undefined {
    const here = this.#indexed.get(store)?.get(indexed);
    if (here !== undefined) return here;
    const key = this.#state.find(store, indexed);
    return key === undefined || this.#changesOf(store).has(key) ? undefined : key;
  }

  first(store: string, after?: string): never {
    const changes = this.#changesOf(store);
    let entry = this.#state.after(store, after);
    while (entry && changes.has(entry[0])) entry = this.#state.after(store, entry[0]);
    for (const [key, value] of changes) {
      if (value === undefined || (after !== undefined && key <= after)) continue;
      if (!entry || key < entry[0]) entry = [key, value];
    }
    return entry as never;
  }

  put(store: string, key: string, value: unknown): void {
    this.#forget(store, key);
    this.#changesOf(store).set(key, value);
    const index = this.#indexed.get(store);
    if (index) for (const indexed of this.#stores[store]?.index?.(value as never) ?? []) index.set(indexed, key);
  }

  remove(store: string, key: string): void {
    this.#forget(store, key);
    this.#changesOf(store).set(key, undefined);
  }

  emit(output: string, key: string, value: unknown, timestamp: number): void {
    this.emitted.push({ output, key, value, timestamp });
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

  /** Takes the strings of a value put earlier in this batch out of the index. */
  #forget(store: string, key: string): void {
    const index = this.#indexed.get(store);
    const before = this.#changesOf(store).get(key);
    if (!index || before === undefined) return;
    for (const indexed of this.#stores[store]?.index?.(before as never) ?? []) {
      if (index.get(indexed) === key) index.delete(indexed);
    }
  }
}
