import { type DigestTable, noProfiles, type Total, withProfile } from './digest-table.ts';

/** What two feeds say of all profiles. */
export interface Agreement {
  /** Of each feed: of each profile as of the moment at which both say the same; as of the first, where they never do. */
  readonly totals: readonly [Total, Total];
  /** Profiles of which they never said the same, sorted. */
  readonly differing: readonly string[];
  /** Profiles of which they did not say the same at first, and did later. */
  readonly agreedLater: number;
}

/**
 * Whether two feeds say the same. They do so of a profile if they do at one of some moments: what goes through one of them a little later
 * differs at one moment, and what is wrong differs at each. With a table of several moments those count; as it is now, the moments are
 * those between two calls of `look`, and whatever is seen of a profile meanwhile counts.
 */
export class Agreeing {
  readonly #table: DigestTable;
  /** Of profiles of which they have not said the same yet, what each has said since the last look. */
  readonly #open = new Map<string, readonly [Set<bigint>, Set<bigint>]>();
  readonly #totals: [Total, Total] = [noProfiles, noProfiles];
  #agreedLater = 0;

  /** Looks for the first time. */
  constructor(table: DigestTable) {
    this.#table = table;
    for (const id of table.ids()) {
      const digests = this.#now(id);
      if (digests[0] === digests[1]) this.#agreed(digests[0]);
      else this.#open.set(id, [new Set([digests[0]]), new Set([digests[1]])]);
    }
    for (let moment = 1; moment < table.moments; moment++)
      for (const id of this.#open.keys()) {
        const digest = table.digestOf(0, id, moment);
        if (digest === table.digestOf(1, id, moment)) this.#settle(id, digest);
      }
  }

  /** How many profiles there are of which they have not said the same yet. */
  get open(): number {
    return this.#open.size;
  }

  /** What a feed says now of a profile: the table has it, too. */
  see(feed: 0 | 1, id: string, digest: bigint): void {
    this.#open.get(id)?.[feed].add(digest);
  }

  /** At what has been said since the last time. */
  look(): void {
    for (const [id, [first, second]] of this.#open) {
      const digests = this.#now(id);
      const said = first.intersection(second);
      const [digest] = said;
      if (digest !== undefined) this.#settle(id, digests[0] === digests[1] ? digests[0] : digest);
      else this.#open.set(id, [new Set([digests[0]]), new Set([digests[1]])]);
    }
  }

  result(): Agreement {
    let [first, second] = this.#totals;
    for (const id of this.#open.keys()) {
      first = withProfile(first, this.#table.digestOf(0, id));
      second = withProfile(second, this.#table.digestOf(1, id));
    }
    return { totals: [first, second], differing: [...this.#open.keys()].sort(), agreedLater: this.#agreedLater };
  }

  #now(id: string): [bigint, bigint] {
    return [this.#table.digestOf(0, id), this.#table.digestOf(1, id)];
  }

  #settle(id: string, digest: bigint): void {
    this.#open.delete(id);
    this.#agreedLater++;
    this.#agreed(digest);
  }

  #agreed(digest: bigint): void {
    for (const feed of [0, 1] as const) this.#totals[feed] = withProfile(this.#totals[feed], digest);
  }
}
