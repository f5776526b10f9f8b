import type {
  EventStitched,
  Identifier,
  IdentityChange,
  Move,
  Ownership,
  ProfileState,
  Tributary,
} from '#schemas/generated/records.ts';
import { movesTopic, topics } from '#schemas/topics.ts';
import { defineTask, type Input, type Stores, type Work } from '#shared/task/task.ts';
import { ofEvent } from './core/event.ts';
import { arrive, depart } from './core/ownership.ts';
import { none } from './core/sorted.ts';
import { empty, merge } from './core/tributary.ts';
import { nextVersion, smallest, unborn } from './core/version.ts';

const stores = {
  /** By profile id/hash of the identifier. */
  tributary: { record: 'Tributary' },
  /** By hash: the newest place known, unless that is the identifier's default profile (version 0). */
  ownership: { record: 'Ownership' },
  /** By profile id. */
  profile: { record: 'ProfileState' },
} as const satisfies Stores;

type ProjectorWork = Work<
  typeof stores,
  { readonly profile: { readonly value: 'Profile' }; readonly move: { readonly value: 'Move' } }
>;

/** Folds events into profiles, and keeps them right while identifiers move between profiles. */
export const createProjector = ({ generation }: { readonly generation: number }) =>
  defineTask({
    name: 'projector',
    inputs: { event: topics.eventsStitched, change: topics.identityChanges, move: movesTopic(generation) },
    outputs: { profile: topics.profiles, move: movesTopic(generation) },
    stores,
    process(inputs, work) {
      const batch = new Batch(work, generation);
      for (const input of inputs) {
        if (input.value === null) work.reject(input, { reason: 'empty', message: 'a record without a value' });
        else if (input.input === 'event') batch.event(input, input.value);
        else if (input.input === 'change') batch.change(input, input.value);
        else batch.move(input, input.value);
      }
      batch.finish();
    },
  });

/** An identifier's tributary at a profile during a batch. */
interface Holding {
  /** As it was before the batch. */
  readonly before: Tributary | undefined;
  /** What is left of that: all or, once it was sent away, nothing. */
  kept: Tributary | undefined;
  /** What this batch adds. */
  added: Tributary | undefined;
  /** The events that it adds. */
  messageIds: string[];
}

/** A profile touched in a batch. */
interface Visit {
  readonly profileId: string;
  readonly state: ProfileState;
  readonly holdings: Map<string, Holding>;
  readonly messageIds: string[];
  quarantined: boolean;
  byEvent: boolean;
  byRegroup: boolean;
  time: number;
  into: string | null;
}

/** Parts of one tributary that arrived too late and follow it to one place. */
interface Passing {
  readonly place: Ownership;
  readonly messageIds: string[];
  part: Tributary;
}

/** One batch: what comes for one identifier is folded once, and each touched profile combined once, at the end. */
class Batch {
  readonly #work: ProjectorWork;
  readonly #generation: number;
  readonly #known = new Map<string, Ownership | undefined>();
  readonly #visits = new Map<string, Visit>();
  readonly #passing = new Map<string, Passing>();

  constructor(work: ProjectorWork, generation: number) {
    this.#work = work;
    this.#generation = generation;
  }

  event(input: Input, event: EventStitched): void {
    const identifier = event.identifiers[0];
    if (!identifier) {
      this.#work.reject(input, { reason: 'no_identifier', message: 'an event that no identifier routed' });
      return;
    }
    const part = ofEvent(event, identifier, event.currency);
    this.#arrive(input, part, { profile_id: event.profile_id, version: event.mapping_version }, [event.message_id]);
  }

  move(input: Input, move: Move): void {
    this.#arrive(input, move.tributary, { profile_id: move.profile_id, version: move.version }, move.causes);
  }

  change(input: Input, change: IdentityChange): void {
    const { kind, identifier, profile_id, version, to_profile_id } = change;
    if (kind === 'discovered') {
      this.#arrive(input, empty(identifier, change.decided_at), { profile_id, version }, none);
    } else if (kind === 'moved' && to_profile_id !== null) {
      const left = this.#depart(identifier, profile_id, { profile_id: to_profile_id, version }, change.decided_at);
      this.#work.settle(input, left ? 'moved' : 'noted');
    } else if (kind === 'quarantined' || kind === 'released') {
      this.#guard(profile_id, kind === 'quarantined', change.decided_at);
      this.#work.settle(input, 'noted');
    } else {
      this.#work.settle(input, 'noted');
    }
  }

  /** Emits moves and versions, and writes what they were made from. */
  finish(): void {
    for (const { place, part, messageIds } of this.#passing.values()) {
      this.#send(part, place, smallest(messageIds), part.updated_at);
    }
    for (const visit of this.#visits.values()) this.#settleProfile(visit);
  }

  /** Folds a part where it is addressed, or passes it on. */
  #arrive(input: Input, part: Tributary, address: Ownership, messageIds: readonly string[]): void {
    const { hash } = part.identifier;
    const known = this.#knownOf(hash);
    const arrival = arrive(known, address);
    this.#remember(hash, known, arrival.known);
    if (arrival.passTo) {
      this.#pass(part, arrival.passTo, messageIds);
      this.#work.settle(input, 'passed_on');
      return;
    }
    const visit = this.#visit(address.profile_id);
    const holding = this.#holding(visit, hash);
    holding.added = holding.added ? merge(holding.added, part) : part;
    for (const id of messageIds) {
      visit.messageIds.push(id);
      holding.messageIds.push(id);
    }
    if (messageIds.length > 0) visit.byEvent = true;
    else visit.byRegroup = true;
    if (part.updated_at > visit.time) visit.time = part.updated_at;
    this.#work.settle(input, 'folded');
  }

  /** @returns whether a tributary left the profile. */
  #depart(identifier: Identifier, profileId: string, to: Ownership, decidedAt: number): boolean {
    const { hash } = identifier;
    const known = this.#knownOf(hash);
    const departure = depart(known, profileId, to);
    this.#remember(hash, known, departure.known);
    if (!departure.sendTo) return false;
    const visit = this.#visit(profileId);
    const holding = this.#holding(visit, hash);
    const held = heldIn(holding);
    if (!held) return false;
    // Events that came in this batch are told of where they go: no version here may ever speak of them.
    this.#send(held, departure.sendTo, smallest(holding.messageIds), Math.max(held.updated_at, decidedAt));
    holding.kept = undefined;
    holding.added = undefined;
    holding.messageIds = [];
    visit.byRegroup = true;
    if (decidedAt > visit.time) visit.time = decidedAt;
    if (held.events > 0) visit.into = departure.sendTo.profile_id;
    return true;
  }

  #guard(profileId: string, quarantined: boolean, decidedAt: number): void {
    const visit = this.#visit(profileId);
    if (quarantined === visit.quarantined) return;
    visit.quarantined = quarantined;
    if (decidedAt > visit.time) visit.time = decidedAt;
  }

  #knownOf(hash: string): Ownership | undefined {
    const known = this.#known.get(hash);
    if (known !== undefined || this.#known.has(hash)) return known;
    const stored = this.#work.get('ownership', hash);
    this.#known.set(hash, stored);
    return stored;
  }

  #remember(hash: string, before: Ownership | undefined, known: Ownership): void {
    if (known === before) return;
    this.#known.set(hash, known);
    if (known.version > 0) this.#work.put('ownership', hash, known);
  }

  #visit(profileId: string): Visit {
    const open = this.#visits.get(profileId);
    if (open) return open;
    const state = this.#work.get('profile', profileId) ?? unborn;
    const visit: Visit = {
      profileId,
      state,
      holdings: new Map(),
      messageIds: [],
      quarantined: state.quarantined,
      byEvent: false,
      byRegroup: false,
      time: 0,
      into: null,
    };
    this.#visits.set(profileId, visit);
    return visit;
  }

  #holding(visit: Visit, hash: string): Holding {
    const open = visit.holdings.get(hash);
    if (open) return open;
    const before = visit.state.members.includes(hash) ? this.#stored(visit, hash) : undefined;
    const holding: Holding = { before, kept: before, added: undefined, messageIds: [] };
    visit.holdings.set(hash, holding);
    return holding;
  }

  #stored(visit: Visit, hash: string): Tributary | undefined {
    return this.#work.get('tributary', `${visit.profileId}/${hash}`);
  }

  #pass(part: Tributary, place: Ownership, messageIds: readonly string[]): void {
    const key = `${place.profile_id}/${place.version}/${part.identifier.hash}`;
    const passing = this.#passing.get(key);
    if (!passing) {
      this.#passing.set(key, { place, part, messageIds: [...messageIds] });
      return;
    }
    passing.part = merge(passing.part, part);
    for (const id of messageIds) passing.messageIds.push(id);
  }

  #send(tributary: Tributary, place: Ownership, causes: readonly string[], timestamp: number): void {
    const { profile_id, version } = place;
    // The limits leave room for it to go in one piece.
    const move = { profile_id, version, tributary, causes, piece: 0, pieces: 1, generation: this.#generation };
    this.#work.emit('move', profile_id, move, timestamp);
  }

  #settleProfile(visit: Visit): void {
    const { profileId, state, holdings } = visit;
    const before: Tributary[] = [];
    const after: Tributary[] = [];
    const members: string[] = [];
    for (const hash of memberHashes(state.members, holdings)) {
      const holding = holdings.get(hash);
      const was = holding ? holding.before : this.#stored(visit, hash);
      const is = holding ? heldIn(holding) : was;
      if (was) before.push(was);
      if (is) {
        after.push(is);
        members.push(hash);
      }
      if (is === was) continue;
      if (is) this.#work.put('tributary', `${profileId}/${hash}`, is);
      else this.#work.remove('tributary', `${profileId}/${hash}`);
    }
    const next = nextVersion(profileId, state, before, after, members, {
      messageIds: visit.messageIds,
      byEvent: visit.byEvent,
      byRegroup: visit.byRegroup || visit.quarantined !== state.quarantined,
      quarantined: visit.quarantined,
      time: visit.time,
      into: visit.into,
      generation: this.#generation,
    });
    if (next.state.version === 0 && members.length === 0 && !visit.quarantined) {
      if (state !== unborn) this.#work.remove('profile', profileId);
      return;
    }
    if (next.profile || !sameList(members, state.members) || visit.quarantined !== state.quarantined)
      this.#work.put('profile', profileId, next.state);
    if (!next.profile) return;
    this.#work.emit('profile', profileId, next.profile, next.profile.updated_at);
    if (next.profile.gone) this.#work.emit('profile', profileId, null, next.profile.updated_at);
  }
}

const heldIn = ({ kept, added }: Holding): Tributary | undefined =>
  kept && added ? merge(kept, added) : (kept ?? added);

/** Hashes of the identifiers that are or were held, sorted. */
function memberHashes(members: readonly string[], holdings: ReadonlyMap<string, Holding>): readonly string[] {
  const others = [...holdings.keys()].filter((hash) => !members.includes(hash));
  return others.length === 0 ? members : [...members, ...others].sort();
}

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, n) => item === b[n]);
