import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import QuickLRU from 'quick-lru';
import { type Codec, schemaIdOf } from '#shared/kafka/codec.ts';
import { LostInfrastructure } from './errors.ts';
import { changedBy } from './in-key-order.ts';
import type { Stores } from './task.ts';
import { UnderWay } from './under-way.ts';
import type { State } from './workspace.ts';

/** One change of a store as it stands in the changelog: null bytes remove. */
export interface Change {
  readonly store: string;
  readonly key: string;
  readonly bytes: Buffer | null;
  /** The value, where it is at hand; saves decoding it. */
  readonly value?: unknown;
}

/** How far the state reflects its changelog. */
export interface StatePosition {
  /** Offset of the last changelog record that is in it. */
  readonly offset: number;
  /** When it was written, wall clock: tombstones are gone from the changelog after a while. */
  readonly at: number;
  /** Kafka cluster that the changelog belongs to. */
  readonly cluster: string;
}

/** A position as it is kept, with the stores whose members are kept beside it. */
interface KeptPosition extends StatePosition {
  readonly sets?: readonly string[];
}

/** Of each store. */
const CACHED_VALUES = 4_000;
/** Larger values are read again each time, so that the cache's size in bytes is bounded, too. */
const CACHED_BYTES = 4_096;
const POSITION = 'p';
/** Ids of the schemas that wrote the values: an older version of the software may have. */
const SCHEMAS = 's';
/** In the cache: known not to be there. Most look-ups are of identifiers that never moved. */
const ABSENT = Symbol('absent');
const NOTHING = Buffer.alloc(0);

/**
 * A task's stores in LMDB: a cache of the changelog that can be deleted at any time. Written only after the transaction that
 * holds the same changes has been committed, and always together with the changelog offset that it reflects. The disk follows one
 * batch behind, while the task goes on; what a crash keeps from it is in the changelog.
 */
export class DiskState implements State {
  readonly #path: string;
  readonly #stores: Stores;
  readonly #codecs: ReadonlyMap<string, Codec>;
  #db: RootDatabase<Buffer, string>;
  /** By store: the members of its values. The shorter their keys, the more of them fit into memory. */
  #sets: ReadonlyMap<string, Database<Buffer, Buffer>>;
  /** By store, so that keys need not be put together for what is at hand. */
  readonly #caches: ReadonlyMap<string, QuickLRU<string, unknown>>;
  #schemas = new Set<number>();
  /** Stays when it could not be written, so that what is read stays right until the partition is taken over anew. */
  #underWay: UnderWay | undefined;
  #written: Promise<unknown> = Promise.resolve();

  constructor(path: string, stores: Stores, codecs: ReadonlyMap<string, Codec>) {
    this.#path = path;
    this.#stores = stores;
    this.#codecs = codecs;
    this.#caches = new Map(Object.keys(stores).map((store) => [store, new QuickLRU({ maxSize: CACHED_VALUES })]));
    this.#db = this.#open();
    this.#sets = this.#openSets();
  }

  /** Learns the schemas that wrote what is here, and throws away what an earlier version laid out otherwise. Nothing can be read before. */
  async learnSchemas(): Promise<void> {
    const sets = this.#kept?.sets ?? [];
    if (this.#kept && [...this.#sets.keys()].some((store) => !sets.includes(store))) await this.clear();
    const known = this.#db.getBinary(SCHEMAS);
    this.#schemas = new Set(known && (JSON.parse(String(known)) as number[]));
    for (const id of this.#schemas) for (const codec of this.#codecs.values()) await codec.learn(id);
  }

  get position(): StatePosition | undefined {
    const kept = this.#underWay?.position ?? this.#kept;
    return kept && { offset: kept.offset, at: kept.at, cluster: kept.cluster };
  }

  /** Size on disk. */
  get bytes(): number {
    return statSync(join(this.#path, 'data.mdb')).size;
  }

  get #kept(): KeptPosition | undefined {
    const bytes = this.#db.getBinary(POSITION);
    return bytes && (JSON.parse(String(bytes)) as KeptPosition);
  }

  get(store: string, key: string): unknown {
    const cache = this.#cacheOf(store);
    const cached = cache.get(key);
    if (cached !== undefined) return cached === ABSENT ? undefined : cached;
    const change = this.#underWay?.get(store, key);
    const bytes = change ? change.bytes : this.#db.getBinary(`d${store}/${key}`);
    if (!bytes) {
      cache.set(key, ABSENT);
      return undefined;
    }
    const value = change?.value ?? this.#decode(store, bytes);
    if (bytes.length <= CACHED_BYTES) cache.set(key, value);
    return value;
  }

  holds(store: string, member: string): boolean {
    return (
      this.#underWay?.holds(store, member) || this.#sets.get(store)?.doesExist(Buffer.from(member, 'hex')) === true
    );
  }

  scan(store: string, prefix: string, after: string): Iterable<[key: string, value: unknown]> {
    const stored = this.#scanDisk(store, prefix, after);
    return this.#underWay ? changedBy(this.#scanUnderWay(this.#underWay, store, prefix, after), stored) : stored;
  }

  /**
   * Resolves when the changes, and the position that they lead to, can be read. All or nothing, and in this order, they are then written.
   * @throws what kept the batch before this one from the disk
   */
  async apply(changes: Iterable<Change>, position: StatePosition): Promise<void> {
    await this.#written;
    const db = this.#db;
    const list = [...changes];
    const underWay = new UnderWay(list, position);
    this.#underWay = underWay;
    this.#written = db
      .batch(() => {
        for (const change of list) this.#put(db, underWay, change);
        if (this.#knowsMore(list)) void db.put(SCHEMAS, Buffer.from(JSON.stringify([...this.#schemas])));
        void db.put(POSITION, Buffer.from(JSON.stringify({ ...position, sets: [...this.#sets.keys()] })));
      })
      .then(() => {
        this.#underWay = undefined;
      });
    // It is thrown where somebody waits.
    this.#written.catch(() => undefined);
  }

  /** Throws everything away. */
  async clear(): Promise<void> {
    await this.close();
    rmSync(this.#path, { recursive: true, force: true });
    for (const cache of this.#caches.values()) cache.clear();
    this.#schemas = new Set();
    this.#underWay = undefined;
    this.#written = Promise.resolve();
    this.#db = this.#open();
    this.#sets = this.#openSets();
  }

  async close(): Promise<void> {
    await this.#written.catch(() => undefined);
    await this.#db.close();
  }

  #open(): RootDatabase<Buffer, string> {
    return open<Buffer, string>({ path: this.#path, encoding: 'binary', noSubdir: false });
  }

  #openSets(): ReadonlyMap<string, Database<Buffer, Buffer>> {
    const stores = Object.keys(this.#stores).filter((store) => this.#stores[store]?.members);
    return new Map(
      stores.map((store) => [
        store,
        this.#db.openDB<Buffer, Buffer>({ name: store, encoding: 'binary', keyEncoding: 'binary' }),
      ]),
    );
  }

  *#scanDisk(store: string, prefix: string, after: string): Iterable<[key: string, value: unknown]> {
    const place = `d${store}/`;
    const from = after > prefix ? after : prefix;
    // U+FFFF is above whatever a key holds.
    for (const { key, value } of this.#db.getRange({ start: place + from, end: `${place}${prefix}\uffff` })) {
      const own = key.slice(place.length);
      if (own !== after) yield [own, this.#decode(store, value)];
    }
  }

  *#scanUnderWay(underWay: UnderWay, store: string, prefix: string, after: string): Iterable<[string, unknown]> {
    for (const { key, bytes, value } of underWay.scan(store, prefix, after))
      yield [key, bytes === null ? undefined : (value ?? this.#decode(store, bytes))];
  }

  #put(db: RootDatabase<Buffer, string>, underWay: UnderWay, { store, key, bytes, value }: Change): void {
    const place = `d${store}/${key}`;
    const cache = this.#cacheOf(store);
    if (bytes === null) {
      cache.delete(key);
      void db.remove(place);
      return;
    }
    void db.put(place, bytes);
    if (value === undefined || bytes.length > CACHED_BYTES) cache.delete(key);
    else cache.set(key, value);
    const set = this.#sets.get(store);
    if (!set) return;
    for (const member of this.#stores[store]?.members?.((value ?? this.#decode(store, bytes)) as never) ?? []) {
      underWay.addMember(store, member);
      const key = Buffer.from(member, 'hex');
      // Most were there before the value grew; to write them again would cost their pages.
      if (!set.doesExist(key)) void set.put(key, NOTHING);
    }
  }

  #cacheOf(store: string): QuickLRU<string, unknown> {
    const cache = this.#caches.get(store);
    if (!cache) throw new Error(`the task has no store named ${store}`);
    return cache;
  }

  /** Takes in who wrote these changes. @returns whether any of them is new here */
  #knowsMore(changes: readonly Change[]): boolean {
    const { size } = this.#schemas;
    for (const { bytes } of changes) {
      const id = bytes ? schemaIdOf(bytes) : undefined;
      if (id !== undefined) this.#schemas.add(id);
    }
    return this.#schemas.size > size;
  }

  /** @throws LostInfrastructure: a state that cannot be read is never the input's fault */
  #decode(store: string, bytes: Buffer): unknown {
    const codec = this.#codecs.get(store);
    if (!codec) throw new Error(`no codec for the store ${store}`);
    try {
      return codec.decode(bytes);
    } catch (error) {
      throw new LostInfrastructure(
        `the local state at ${this.#path} cannot be read; delete it, and it is restored from Kafka`,
        { cause: error },
      );
    }
  }
}
