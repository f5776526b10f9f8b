import type { EventStitched, Identifier, IdentityClaim, Sighting } from '#schemas/generated/records.ts';
import { claimId } from '#shared/identity/claim-id.ts';
import { aliasOf } from './alias.ts';
import type { BoundedMemo } from './bounded-memo.ts';

/** Beyond that an event's identifiers of lowest priority claim nothing: their pairs grow with the square. */
const MAX_IDENTIFIERS = 10;

/** What is read of an event. */
export type SeenEvent = Pick<
  EventStitched,
  'type' | 'source' | 'message_id' | 'identifiers' | 'payload' | 'received_at' | 'timestamp' | 'definitions'
>;

export interface SightingStore {
  get(claimId: string): Sighting | undefined;
  put(claimId: string, sighting: Sighting): void;
}

/** When something was received and when it happened, milliseconds. */
export interface Times {
  readonly received: number;
  readonly occurred: number;
}

/** An event of tomorrow happened when it was received, at the latest. */
const timesOf = ({ received_at: received, timestamp }: SeenEvent): Times => ({
  received,
  occurred: Math.min(timestamp, received),
});

const isAsEarly = (known: Times | undefined, { received, occurred }: Times): boolean =>
  known !== undefined && known.received <= received && known.occurred <= occurred;

/** What one batch of one partition has seen of identifiers and their pairs, in front of all that was seen before. */
export class Sightings {
  readonly #store: SightingStore;
  readonly #partition: number;
  readonly #actor: string;
  readonly #generation: number;
  readonly #claim: (claim: IdentityClaim) => void;
  /**
   * By combination of identifiers in a partition and source: times at which the store, as committed, has all of them. Outlives
   * the batch, and an abort of it, because nothing of this batch enters, and sightings only ever get earlier.
   */
  readonly #committed: BoundedMemo<Times>;
  /** The same for what this batch has added. */
  readonly #combinations = new Map<string, Times>();
  readonly #added = new Set<string>();

  constructor(
    store: SightingStore,
    { partition, generation }: { readonly partition: number; readonly generation: number },
    committed: BoundedMemo<Times>,
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
  see(event: SeenEvent): void {
    const { identifiers } = event;
    const count = Math.min(identifiers.length, MAX_IDENTIFIERS);
    const alias = event.type === 'alias' ? aliasOf(event) : undefined;
    if (alias) this.#one('alias', event, alias[0], alias[1]);
    let combination = `${this.#partition}\0${event.source}`;
    for (let i = 0; i < count; i++) combination += `\0${(identifiers[i] as Identifier).hash}`;
    const times = timesOf(event);
    if (isAsEarly(this.#committed.get(combination), times) || isAsEarly(this.#combinations.get(combination), times))
      return;
    let committed = true;
    for (let i = 0; i < count; i++) {
      const one = identifiers[i] as Identifier;
      if (!this.#one('observed', event, one)) committed = false;
      for (let j = i + 1; j < count; j++) {
        const other = identifiers[j] as Identifier;
        if (one.hash !== other.hash && !this.#one('observed', event, one, other)) committed = false;
      }
    }
    if (committed) this.#committed.set(combination, times);
    else this.#combinations.set(combination, times);
  }

  /** @returns whether it was seen, so early, in a batch before this one. */
  #one(kind: string, event: SeenEvent, one: Identifier, other?: Identifier): boolean {
    const swapped = other !== undefined && other.hash < one.hash;
    const first = swapped ? other : one;
    const second = swapped ? one : other;
    const id = claimId(kind, first.hash, second?.hash ?? '', event.source, this.#actor);
    const times = timesOf(event);
    const stored = this.#store.get(id);
    const known = stored && { received: stored.received_at, occurred: stored.occurred_at ?? stored.received_at };
    if (isAsEarly(known, times)) return !this.#added.has(id);
    this.#added.add(id);
    // A claim comes once more with the earliest of both times, so that the last one tells all.
    const received_at = Math.min(times.received, known?.received ?? times.received);
    const occurred_at = Math.min(times.occurred, known?.occurred ?? times.occurred);
    this.#store.put(id, { received_at, occurred_at });
    this.#claim({
      claim_id: id,
      kind,
      identifiers: second ? [first, second] : [first],
      message_id: event.message_id,
      source: event.source,
      received_at,
      occurred_at,
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
