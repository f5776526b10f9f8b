import { rmSync } from 'node:fs';
import { open, type RootDatabase } from 'lmdb';
import type { ReadBatch } from '#shared/kafka/read-partitions.ts';

/** One change of the store: null removes. */
export type Write = readonly [key: string, value: Buffer | null];

const OFFSET = 'o/';
const HEADER = 'h';

/** Where the view comes from, and when it was last written to, wall clock. */
interface Header {
  readonly cluster: string;
  readonly at: number;
}

/** The read API's view on disk: a copy that can be deleted at any time. What is written and how far it was read go together. */
export class ViewStore {
  readonly #path: string;
  #db: RootDatabase<Buffer, string>;

  constructor(path: string) {
    this.#path = path;
    this.#db = this.#open();
  }

  get(key: string): Buffer | undefined {
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
  async write(
    writes: Iterable<Write>,
    batch: Pick<ReadBatch, 'topic' | 'partition' | 'next'>,
    header: Header,
  ): Promise<void> {
    const db = this.#db;
    await db.batch(() => {
      for (const [key, value] of writes) {
        if (value === null) void db.remove(key);
        else void db.put(key, value);
      }
      void db.put(`${OFFSET}${batch.topic}/${batch.partition}`, Buffer.from(String(batch.next)));
      void db.put(HEADER, Buffer.from(JSON.stringify(header)));
    });
  }

  async clear(): Promise<void> {
    await this.close();
    rmSync(this.#path, { recursive: true, force: true });
    this.#db = this.#open();
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  #open(): RootDatabase<Buffer, string> {
    return open<Buffer, string>({ path: this.#path, encoding: 'binary', noSubdir: false });
  }
}
