import type { Seen } from '#schemas/generated/records.ts';
import { chunkKey, extended, type SeenEntry } from './seen-chunk.ts';

/** What is read and written: the task's store of message ids, in chunks. */
export interface SeenStore {
  /** Whether some chunk has the id. */
  holds(id: string): boolean;
  get(key: string): Seen | undefined;
  put(key: string, chunk: Seen): void;
}

/** The message ids of one batch, in front of those of all batches before it. Of each id the first in the log counts, however long ago. */
export class Duplicates {
  readonly #store: SeenStore;
  readonly #added = new Map<string, SeenEntry>();

  constructor(store: SeenStore) {
    this.#store = store;
  }

  /** Takes an id in. @returns whether it was there already */
  take(id: string, receivedAt: number, offset: number): boolean {
    if (this.#added.has(id) || this.#store.holds(id)) return true;
    this.#added.set(id, { id, receivedAt, offset });
    return false;
  }

  /** Writes what the batch added. Call once, at the end of the batch. */
  finish(): void {
    for (const [key, entries] of Map.groupBy(this.#added.values(), chunkKey))
      this.#store.put(key, extended(this.#store.get(key), entries));
  }
}
