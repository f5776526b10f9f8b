import { addDigests } from '#shared/profiles/digest.ts';

/** Number of profiles, and the digest over them. */
export interface Total {
  readonly profiles: number;
  readonly digest: bigint;
}

export const noProfiles: Total = { profiles: 0, digest: 0n };

/** With one more profile; 0n is one that does not exist. */
export const withProfile = ({ profiles, digest }: Total, one: bigint): Total =>
  one === 0n ? { profiles, digest } : { profiles: profiles + 1, digest: addDigests(digest, one) };

/** As it is now. */
const NOW = Number.POSITIVE_INFINITY;

const ROWS_IN_CHUNK = 8_192;
const LOW = (1n << 64n) - 1n;

/**
 * Digests of profiles as some feeds tell them, of each as of some moments: 16 bytes each, and each profile's id once, so that those of
 * a million profiles fit into memory.
 */
export class DigestTable {
  readonly #feeds: number;
  readonly #moments: readonly number[];
  readonly #rowOf = new Map<string, number>();
  readonly #chunks: BigUint64Array[] = [];

  /** @param moments milliseconds, rising; left out: as it is now */
  constructor(feeds: number, moments: readonly number[] = [NOW]) {
    this.#feeds = feeds;
    this.#moments = moments;
  }

  get moments(): number {
    return this.#moments.length;
  }

  /** A version, in the order of versions of its profile. @param digest 0n: it is gone */
  see(feed: number, id: string, digest: bigint, updatedAt: number): void {
    // Most versions are older than all moments: then this one counts for all.
    const first = this.#moments.findIndex((moment) => updatedAt <= moment);
    if (first < 0) return;
    let row = this.#rowOf.get(id);
    if (row === undefined) {
      if (digest === 0n) return;
      row = this.#rowOf.size;
      this.#rowOf.set(id, row);
      if (row % ROWS_IN_CHUNK === 0) this.#chunks.push(new BigUint64Array(ROWS_IN_CHUNK * this.#width));
    }
    for (let moment = first; moment < this.#moments.length; moment++) this.#put(row, feed, moment, digest);
  }

  /** 0n: there is none. */
  digestOf(feed: number, id: string, moment = 0): bigint {
    const row = this.#rowOf.get(id);
    return row === undefined ? 0n : this.#get(row, feed, moment);
  }

  ids(): Iterable<string> {
    return this.#rowOf.keys();
  }

  total(feed: number, moment = 0): Total {
    let profiles = 0;
    let sum = 0n;
    for (let row = 0; row < this.#rowOf.size; row++) {
      const digest = this.#get(row, feed, moment);
      if (digest === 0n) continue;
      profiles++;
      sum += digest;
    }
    return { profiles, digest: addDigests(sum, 0n) };
  }

  get #width(): number {
    return 2 * this.#feeds * this.#moments.length;
  }

  #place(row: number, feed: number, moment: number): number {
    return (row % ROWS_IN_CHUNK) * this.#width + 2 * (feed * this.#moments.length + moment);
  }

  #get(row: number, feed: number, moment: number): bigint {
    const chunk = this.#chunks[Math.floor(row / ROWS_IN_CHUNK)] as BigUint64Array;
    const place = this.#place(row, feed, moment);
    return ((chunk[place] as bigint) << 64n) | (chunk[place + 1] as bigint);
  }

  #put(row: number, feed: number, moment: number, digest: bigint): void {
    const chunk = this.#chunks[Math.floor(row / ROWS_IN_CHUNK)] as BigUint64Array;
    const place = this.#place(row, feed, moment);
    chunk[place] = digest >> 64n;
    chunk[place + 1] = digest & LOW;
  }
}
