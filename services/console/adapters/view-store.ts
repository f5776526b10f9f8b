import { rmSync } from 'node:fs';
import { open, type RootDatabase } from 'lmdb';
import type { ReadBatch } from '#shared/kafka/read-partitions.ts';

/** One change of the store: null removes. */
export interface Write {
  readonly key: string;
  readonly value: Buffer | null;
  /** Which edition says so. Undefined: that which said something of the key last, and of others nothing is changed. */
  readonly edition: number | undefined;
}

const OFFSET = 'o/';
const HEADER = 'h';
/** Before the key of what is said by an edition that is, or was, held back: this, the edition, a slash. */
const LAYER = 'e';
const layerOf = (edition: number): string => `${LAYER}${String(edition).padStart(10, '0')}/`;
const REMOVED = Buffer.alloc(0);
/** So many keys of a layer are laid under in one go. */
const SETTLED_AT_ONCE = 1_000;

/** Where the view comes from, and when it was last written to, wall clock. */
interface Header {
  readonly cluster: string;
  readonly at: number;
}

/**
 * The read API's view on disk: a copy that can be deleted at any time. What is written and how far it was read go together. What an edition
 * says that nobody is to see yet lies in a layer of its own over what is seen, so that going over to it is the change of one number.
 */
export class ViewStore {
  readonly #path: string;
  #db: RootDatabase<Buffer, string>;
  #edition = 1;
  /** Editions that have a layer, rising. */
  #layers: number[];
  /** Who writes waits for who does: each looks at what is there before. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
    this.#db = this.#open();
    this.#layers = this.#findLayers();
  }

  /** Up to which edition it is seen: 1 at first. */
  get edition(): number {
    return this.#edition;
  }

  /** Whether an edition is held back, or was and is not laid under yet. */
  get hasLayers(): boolean {
    return this.#layers.length > 0;
  }

  /** All that is read from now on is of this edition. It never falls. */
  goOver(edition: number): void {
    this.#edition = Math.max(this.#edition, edition);
  }

  /** As the newest edition that is seen and says something of it has it. */
  get(key: string): Buffer | undefined {
    for (let i = this.#layers.length - 1; i >= 0; i--) {
      const edition = this.#layers[i] as number;
      const value = edition > this.#edition ? undefined : this.#db.getBinary(layerOf(edition) + key);
      if (value) return value.length === 0 ? undefined : value;
    }
    return this.#db.getBinary(key);
  }

  /** Offsets to go on from, by `topic/partition`. */
  offsets(): Map<string, number> {
    const offsets = new Map<string, number>();
    for (const { key, value } of this.#db.getRange({ start: OFFSET, end: 'o0' }))
      offsets.set(key.slice(OFFSET.length), Number(value.toString()));
    return offsets;
  }

  /** The next ones that begin so, in the order of the keys. @param after a key; not there itself */
  page(prefix: string, after: string, limit: number): { readonly key: string; readonly value: Buffer }[] {
    const start = after === '' ? prefix : `${after}\0`;
    return [...this.#db.getRange({ start, end: `${prefix}\uffff`, limit })];
  }

  get header(): Header | undefined {
    const bytes = this.#db.getBinary(HEADER);
    return bytes && (JSON.parse(bytes.toString()) as Header);
  }

  /** All or nothing; resolves when it can be read. */
  write(
    writes: readonly Write[],
    batch: Pick<ReadBatch, 'topic' | 'partition' | 'next'>,
    header: Header,
  ): Promise<void> {
    return this.#inTurn(async () => {
      const db = this.#db;
      /** The layer of the last write of each key that had one; 0: none. */
      const written = new Map<string, number>();
      await db.batch(() => {
        for (const { key, value, edition } of writes) {
          const layer = edition ?? written.get(key) ?? this.#newestOf(key);
          if (layer > this.#edition) {
            this.#addLayer(layer);
            written.set(key, layer);
            void db.put(layerOf(layer) + key, value ?? REMOVED);
            continue;
          }
          // What is seen is said last by this: no layer below speaks of it any more.
          for (const older of this.#layers) if (older <= this.#edition) void db.remove(layerOf(older) + key);
          if (this.#layers.length > 0) written.set(key, 0);
          if (value === null) void db.remove(key);
          else void db.put(key, value);
        }
        void db.put(`${OFFSET}${batch.topic}/${batch.partition}`, Buffer.from(String(batch.next)));
        void db.put(HEADER, Buffer.from(JSON.stringify(header)));
      });
    });
  }

  /** Lays layers that are seen under all others, a little at a time; nobody sees a difference. @param signal ends it early */
  async settle(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // The oldest first: what a newer one says of the same key then still lies over it.
      const isLeft = await this.#inTurn(async () => {
        const [oldest] = this.#layers;
        if (oldest === undefined || oldest > this.#edition) return false;
        const start = layerOf(oldest);
        const db = this.#db;
        const some = [...db.getKeys({ start, end: `${start}\uffff`, limit: SETTLED_AT_ONCE })];
        await db.batch(() => {
          for (const key of some) {
            const under = key.slice(start.length);
            const value = db.getBinary(key) as Buffer;
            if (value.length === 0) void db.remove(under);
            else void db.put(under, value);
            void db.remove(key);
          }
        });
        if (some.length < SETTLED_AT_ONCE) this.#layers = this.#layers.filter((edition) => edition !== oldest);
        return true;
      });
      if (!isLeft) return;
    }
  }

  clear(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#db.close();
      rmSync(this.#path, { recursive: true, force: true });
      this.#db = this.#open();
      this.#layers = [];
    });
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#db.close());
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** The newest layer that speaks of a key, seen or not; 0: none. */
  #newestOf(key: string): number {
    return this.#layers.findLast((edition) => this.#db.doesExist(layerOf(edition) + key)) ?? 0;
  }

  #addLayer(edition: number): void {
    if (this.#layers.includes(edition)) return;
    this.#layers = [...this.#layers, edition].sort((a, b) => a - b);
  }

  #findLayers(): number[] {
    const layers: number[] = [];
    let start = LAYER;
    for (;;) {
      const [key] = [...this.#db.getKeys({ start, end: 'f', limit: 1 })];
      if (key === undefined) return layers;
      const edition = Number(key.slice(LAYER.length, LAYER.length + 10));
      layers.push(edition);
      start = `${layerOf(edition)}\uffff`;
    }
  }

  #open(): RootDatabase<Buffer, string> {
    return open<Buffer, string>({ path: this.#path, encoding: 'binary', noSubdir: false });
  }
}
