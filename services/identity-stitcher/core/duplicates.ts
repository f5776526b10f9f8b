import type { Seen } from '#schemas/generated/records.ts';
import {
  chunkKey,
  encodeChunk,
  entriesIn,
  HOUR,
  hourOf,
  hourOfChunk,
  receivedTimeIn,
  type SeenEntry,
} from './seen-chunk.ts';

/** An event is a duplicate of an earlier one in the log that was received less than this apart. */
export const WINDOW = 24 * HOUR;
/** How far received times in one partition may be out of order without an id being forgotten too early. */
const DISORDER = HOUR;
const CHUNK_ENTRIES = 4096;
/** Bounds of what one batch forgets: more than it can add, so that expiry keeps up. */
const EXPIRED_CHUNKS = 256;
const EXPIRED_ENTRIES = 4 * CHUNK_ENTRIES;

/** What the window reads and writes: the task's store of chunks. */
export interface SeenStore {
  find(id: string): string | undefined;
  get(key: string): Seen | undefined;
  first(after: string | undefined): readonly [string, Seen] | undefined;
  put(key: string, chunk: Seen): void;
  remove(key: string): void;
}

/** The message ids of one batch, in front of those of all batches before it. */
export class DuplicateWindow {
  readonly #store: SeenStore;
  /** The latest of each id: whoever is near any earlier one of it is near this one, unless time ran backwards by a day. */
  readonly #added = new Map<string, SeenEntry>();
  #latest = 0;

  constructor(store: SeenStore) {
    this.#store = store;
  }

  /** Takes an id in. @returns whether it is a duplicate. */
  take(id: string, receivedAt: number, offset: number): boolean {
    if (receivedAt > this.#latest) this.#latest = receivedAt;
    const known = this.#added.get(id)?.receivedAt ?? this.#stored(id);
    if (known === undefined || receivedAt > known) this.#added.set(id, { id, receivedAt, offset });
    return known !== undefined && Math.abs(receivedAt - known) < WINDOW;
  }

  /** Writes what the batch added and forgets what is past the window. Call once, at the end of the batch. */
  finish(): void {
    // Forget first: a string of the index that both an old and a new chunk hold must end with the new one.
    this.#expire();
    const hours = new Map<number, SeenEntry[]>();
    for (const entry of this.#added.values()) {
      const hour = hourOf(entry.receivedAt);
      const entries = hours.get(hour);
      if (entries) entries.push(entry);
      else hours.set(hour, [entry]);
    }
    for (const [hour, entries] of hours) {
      for (let from = 0; from < entries.length; from += CHUNK_ENTRIES) {
        const part = entries.slice(from, from + CHUNK_ENTRIES);
        this.#store.put(chunkKey(hour, (part[0] as SeenEntry).offset), encodeChunk(hour, part));
      }
    }
  }

  #stored(id: string): number | undefined {
    const key = this.#store.find(id);
    const chunk = key === undefined ? undefined : this.#store.get(key);
    return chunk && receivedTimeIn(chunk, id);
  }

  #expire(): void {
    let entries = 0;
    // From one to the next: what the batch has removed is still there until it is committed, and would be stepped over each time.
    let at: string | undefined;
    for (let chunks = 0; chunks < EXPIRED_CHUNKS && entries < EXPIRED_ENTRIES; chunks++) {
      const oldest = this.#store.first(at);
      if (!oldest || (hourOfChunk(oldest[0]) + 1) * HOUR + WINDOW + DISORDER > this.#latest) return;
      entries += entriesIn(oldest[1]);
      at = oldest[0];
      this.#store.remove(at);
    }
  }
}
