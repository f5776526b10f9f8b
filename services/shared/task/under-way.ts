import type { Change, StatePosition } from './disk-state.ts';
import { placeOf } from './in-key-order.ts';

/** Changes of a state that are on their way to the disk, the last of each key. */
export class UnderWay {
  readonly position: StatePosition;
  readonly #changes = new Map<string, Map<string, Change>>();
  readonly #members = new Map<string, Set<string>>();
  /** Keys of those stores that were looked through. */
  readonly #sorted = new Map<string, readonly string[]>();

  constructor(changes: readonly Change[], position: StatePosition) {
    this.position = position;
    for (const change of changes) {
      const ofStore = this.#changes.get(change.store);
      if (ofStore) ofStore.set(change.key, change);
      else this.#changes.set(change.store, new Map([[change.key, change]]));
    }
  }

  get(store: string, key: string): Change | undefined {
    return this.#changes.get(store)?.get(key);
  }

  addMember(store: string, member: string): void {
    const ofStore = this.#members.get(store);
    if (ofStore) ofStore.add(member);
    else this.#members.set(store, new Set([member]));
  }

  holds(store: string, member: string): boolean {
    return this.#members.get(store)?.has(member) === true;
  }

  /** Those of a store whose keys begin so and come after `after`, in their order. */
  *scan(store: string, prefix: string, after: string): Iterable<Change> {
    const changes = this.#changes.get(store);
    if (!changes) return;
    const sorted = this.#sorted.get(store) ?? [...changes.keys()].sort();
    this.#sorted.set(store, sorted);
    for (let at = placeOf(sorted, after > prefix ? after : prefix); at < sorted.length; at++) {
      const key = sorted[at] as string;
      if (!key.startsWith(prefix)) return;
      if (key !== after) yield changes.get(key) as Change;
    }
  }
}
