import type { DeliveryRequest, EventStitched, IdentityChange } from '#schemas/generated/records.ts';
import { deliveryTopic, topics } from '#schemas/topics.ts';
import { type Definitions, type InForce, versionOf } from '#shared/definitions/definitions.ts';
import { defineTask, type Stores, type Work } from '#shared/task/task.ts';
import { idempotencyKeyOf } from './core/idempotency-key.ts';
import { EventView } from './core/segment-event.ts';
import { parseSubscription, type Subscription } from './core/subscription.ts';

type Destination = InForce<'destination'>;

/** Never wants anything: what a subscription that cannot be understood amounts to. */
const nothing: Subscription = () => false;

/** A definition's subscription is parsed once: definitions in force are immutable. */
const parsed = new WeakMap<Destination, Subscription>();
function subscriptionOf(destination: Destination): Subscription {
  const known = parsed.get(destination);
  if (known) return known;
  let subscription = nothing;
  try {
    subscription = parseSubscription(destination.body.subscribe);
  } catch {
    // Told to the operator where definitions are followed; here it only must not stop the others.
  }
  parsed.set(destination, subscription);
  return subscription;
}

function wanting(names: readonly string[], definitions: Definitions): Destination[] {
  return names.flatMap((name) => {
    const destination = definitions.get('destination', name);
    return destination?.body.enabled ? [destination] : [];
  });
}

const stores = {
  /** By profile id: profiles in quarantine. */
  quarantine: {
    record: 'Quarantine',
    counted: { name: 'tributary_activation_quarantined_profiles', help: 'Profiles in quarantine' },
  },
  /** By profile id/number: requests for them, in the order in which they were planned. */
  held: {
    record: 'DeliveryRequest',
    counted: { name: 'tributary_activation_held_requests', help: 'Requests that wait for a profile in quarantine' },
  },
} as const satisfies Stores;

type PlannerWork = Work<typeof stores, Readonly<Record<string, { readonly value: 'DeliveryRequest' }>>>;

/** How much waits for one profile, over all destinations. */
interface MostHeld {
  readonly requests: number;
  /** Of their events: so that a transaction, which must be through within seconds, can hold them all. */
  readonly characters: number;
}
const MOST_HELD: MostHeld = { requests: 1_000, characters: 16_000_000 };

const heldKey = (profileId: string, number: number): string => `${profileId}/${String(number).padStart(12, '0')}`;

/**
 * Decides which destinations an event goes to. One planner serves all destinations, each through a topic of its own, so an event is
 * read once and no destination waits for another. For a profile in quarantine requests wait in its state.
 * @param destinations names, each of which has its topic, defined or not; one more needs a new planner
 * @param mostHeld then the oldest gives way to the newest: who is sent little should be sent what is new
 */
export const plannerTask = (destinations: readonly string[], generation: number, mostHeld = MOST_HELD) =>
  defineTask({
    name: 'planner',
    // From the start of both logs: whoever was put in quarantine before a planner began still is.
    inputs: { event: topics.eventsStitched, change: topics.identityChanges },
    outputs: Object.fromEntries(destinations.map((name) => [name, deliveryTopic(name)])),
    stores,
    process(inputs, work, definitions) {
      const batch = new Batch(work, destinations, wanting(destinations, definitions), generation, mostHeld);
      for (const input of inputs) {
        if (input.input === 'change')
          work.settle(input, input.value ? batch.change(input.value, input.timestamp) : 'noted');
        else work.settle(input, input.value ? batch.event(input.value, input.timestamp) : 'filtered');
        // The loop then halves the batch, down to one release in a transaction.
        if (inputs.length > 1 && batch.releasesMuch)
          throw new RangeError('more is released than one transaction should hold');
      }
    },
  });

class Batch {
  /** Requests that waited and go out now, and the characters of their events. */
  readonly #released = { requests: 0, characters: 0 };
  readonly #work: PlannerWork;
  readonly #destinations: readonly string[];
  readonly #active: readonly Destination[];
  readonly #generation: number;
  readonly #mostHeld: MostHeld;

  constructor(
    work: PlannerWork,
    destinations: readonly string[],
    active: readonly Destination[],
    generation: number,
    mostHeld: MostHeld,
  ) {
    this.#work = work;
    this.#destinations = destinations;
    this.#active = active;
    this.#generation = generation;
    this.#mostHeld = mostHeld;
  }

  get releasesMuch(): boolean {
    const { requests, characters } = this.#released;
    return requests > 5 * this.#mostHeld.requests || characters > this.#mostHeld.characters;
  }

  /** @returns what became of the event */
  event(event: EventStitched, timestamp: number): 'planned' | 'held' | 'filtered' {
    // What a group call says of the group: destinations have had the call itself.
    if (event.kind === 'account') return 'filtered';
    const view = new EventView(event);
    const takers = this.#active.filter((destination) => subscriptionOf(destination)(view));
    if (takers.length === 0) return 'filtered';
    const text = JSON.stringify(view.full);
    const requests = takers.map((destination) => requestOf(event, text, destination, this.#generation));
    if (this.#work.get('quarantine', event.profile_id)) {
      for (const request of requests) this.#hold(request, timestamp);
      return 'held';
    }
    for (const request of requests) this.#work.emit(request.destination, event.profile_id, request, timestamp);
    return 'planned';
  }

  /** @returns what became of the change */
  change(change: IdentityChange, timestamp: number): 'quarantined' | 'released' | 'noted' {
    const { kind, profile_id, reason, decided_at } = change;
    const known = this.#work.get('quarantine', profile_id);
    if (kind === 'quarantined') {
      const nothing = { oldest: 0, next: 0, characters: 0 };
      this.#work.put('quarantine', profile_id, { ...nothing, ...known, reason, since: decided_at });
      return 'quarantined';
    }
    if (kind !== 'released' || !known) return 'noted';
    for (let number = known.oldest; number < known.next; number++) {
      const request = this.#take(profile_id, number);
      this.#emit(request, timestamp);
      this.#released.requests++;
      this.#released.characters += request.event.length;
    }
    this.#work.remove('quarantine', profile_id);
    return 'released';
  }

  #hold(request: DeliveryRequest, timestamp: number): void {
    const { profile_id } = request;
    const known = this.#work.get('quarantine', profile_id);
    if (!known) throw new Error('only a profile in quarantine has requests that wait');
    const { requests: mostRequests, characters: mostCharacters } = this.#mostHeld;
    let { oldest, next, characters } = known;
    characters += request.event.length;
    while (oldest < next && (next - oldest >= mostRequests || characters > mostCharacters)) {
      const givesWay = this.#take(profile_id, oldest++);
      characters -= givesWay.event.length;
      this.#emit({ ...givesWay, suppressed: 'quarantined' }, timestamp);
    }
    this.#work.put('held', heldKey(profile_id, next++), request);
    this.#work.put('quarantine', profile_id, { ...known, oldest, next, characters });
  }

  /** A request that waited, which it does no more. */
  #take(profileId: string, number: number): DeliveryRequest {
    const key = heldKey(profileId, number);
    const request = this.#work.get('held', key);
    if (!request) throw new Error('a request that waited is not there');
    this.#work.remove('held', key);
    return request;
  }

  /**
   * Puts out what waited. One whose destination lost its topics meanwhile goes with them.
   * @param timestamp of what lets it go: with its own it might be older than its topic keeps records
   */
  #emit(request: DeliveryRequest, timestamp: number): void {
    if (!this.#destinations.includes(request.destination)) return;
    this.#work.emit(request.destination, request.profile_id, request, Math.max(request.requested_at, timestamp));
  }
}

const requestOf = (
  event: EventStitched,
  text: string,
  destination: Destination,
  generation: number,
): DeliveryRequest => ({
  idempotency_key: idempotencyKeyOf({
    destination: destination.name,
    action: destination.body.action,
    source: event.source,
    messageId: event.message_id,
  }),
  destination: destination.name,
  action: destination.body.action,
  trigger: 'event',
  profile_id: event.profile_id,
  message_id: event.message_id,
  routing: event.identifiers[0]?.hash ?? null,
  event: text,
  purposes: destination.body.purposes,
  consents: event.consents,
  suppressed: null,
  requested_at: event.received_at,
  definitions: [...event.definitions, versionOf(destination)],
  generation,
});
