import type { EventCollected, Identifier, IdentityClaim, Sighting } from '#schemas/generated/records.ts';
import { claimId } from '#shared/identity/claim-id.ts';
import { aliasOf } from './alias.ts';
import type { BoundedMemo } from './bounded-memo.ts';

/** Beyond that an event's identifiers of lowest priority claim nothing: their pairs grow with the square. */
const MAX_IDENTIFIERS = 10;

export interface SightingStore {
  get(claimId: string): Sighting | undefined;
  put(claimId: string, sighting: Sighting): void;
}

/** What one batch of one partition has seen of identifiers and their pairs, in front of all that was seen before. */
export class Sightings {
  readonly #store: SightingStore;
  readonly #partition: number;
  readonly #actor: string;
  readonly #generation: number;
  readonly #claim: (claim: IdentityClaim) => void;
  /**
   * By combination of identifiers in a partition and source: a received time at which the store, as committed, has all of
   * them. Outlives the batch, and an abort of it, because nothing of this batch enters, and sightings only ever get earlier.
   */
  readonly #committed: BoundedMemo<number>;
  /** The same for what this batch has added. */
  readonly #combinations = new Map<string, number>();
  readonly #added = new Set<string>();

  constructor(
    store: SightingStore,
    { partition, generation }: { readonly partition: number; readonly generation: number },
    committed: BoundedMemo<number>,
    claim: (claim: IdentityClaim) => void,
  ) {
    this.#store = store;
    this.#partition = partition;
    this.#actor = `resolver-${partition}`;
    this.#generation = generation;
    this.#committed = committed;
    this.#claim = claim;
  }

  /** Claims whatever the event shows that was not seen before, or not so early, in its source. */
  see(event: EventCollected): void {
    const { identifiers } = event;
    const count = Math.min(identifiers.length, MAX_IDENTIFIERS);
    const alias = event.type === 'alias' ? aliasOf(event) : undefined;
    if (alias) this.#one('alias', event, alias[0], alias[1]);
    let combination = `${this.#partition}\0${event.source}`;
    for (let i = 0; i < count; i++) combination += `\0${(identifiers[i] as Identifier).hash}`;
    const before = this.#committed.get(combination);
    if (before !== undefined && before <= event.received_at) return;
    const here = this.#combinations.get(combination);
    if (here !== undefined && here <= event.received_at) return;
    let committed = true;
    for (let i = 0; i < count; i++) {
      const one = identifiers[i] as Identifier;
      if (!this.#one('observed', event, one)) committed = false;
      for (let j = i + 1; j < count; j++) {
        const other = identifiers[j] as Identifier;
        if (one.hash !== other.hash && !this.#one('observed', event, one, other)) committed = false;
      }
    }
    if (committed) this.#committed.set(combination, event.received_at);
    else this.#combinations.set(combination, event.received_at);
  }

  /** @returns whether it was seen, so early, in a batch before this one. */
  #one(kind: string, event: EventCollected, one: Identifier, other?: Identifier): boolean {
    const swapped = other !== undefined && other.hash < one.hash;
    const first = swapped ? other : one;
    const second = swapped ? one : other;
    const id = claimId(kind, first.hash, second?.hash ?? '', event.source, this.#actor);
    const known = this.#store.get(id);
    if (known && known.received_at <= event.received_at) return !this.#added.has(id);
    this.#added.add(id);
    this.#store.put(id, { received_at: event.received_at });
    this.#claim({
      claim_id: id,
      kind,
      identifiers: second ? [first, second] : [first],
      message_id: event.message_id,
      source: event.source,
      received_at: event.received_at,
      actor: this.#actor,
      reason: null,
      target: null,
      rules: null,
      weight: null,
      definitions: event.definitions,
      generation: this.#generation,
    });
    return false;
  }
}
