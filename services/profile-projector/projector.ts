import type {
  Control,
  EventStitched,
  Fill,
  Identifier,
  IdentityChange,
  Move,
  Ownership,
  Profile,
  ProfileExpiry,
  ProfileState,
  Role,
  Tributary,
} from '#schemas/generated/records.ts';
import {
  controlTopic,
  fillsTopic,
  movesTopic,
  quietTopics,
  rolesTopic,
  topics,
  traitFillsTopic,
} from '#schemas/topics.ts';
import type { Definitions } from '#shared/definitions/definitions.ts';
import { firstRole, roleAfter } from '#shared/generations/role.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import { partitionOf } from '#shared/kafka/partition-of.ts';
import { remembering } from '#shared/task/remembering.ts';
import { defineTask, type Input, type Stores, type Work } from '#shared/task/task.ts';
import { Computing, computingStores, UNTOLD } from './computing.ts';
import { gathered, type Kept, united } from './core/cells.ts';
import { ofEvent } from './core/event.ts';
import { aloneInTheWorld, arrive, depart, type Place } from './core/ownership.ts';
import {
  type Anonymity,
  anonymityIn,
  areAnonymous,
  expiresAt,
  lastReceived,
  type Retention,
} from './core/retention.ts';
import { none } from './core/sorted.ts';
import type { WantedTrait } from './core/traits-in-force.ts';
import { empty, merge } from './core/tributary.ts';
import { nextVersion, type Published, smallest, unborn, unpublished } from './core/version.ts';

const stores = {
  /** By profile id/hash of the identifier. */
  tributary: { record: 'Tributary' },
  /** By hash: the newest place known, unless that is the identifier's default profile (version 0); and what of it has expired. */
  ownership: { record: 'Ownership' },
  /** By profile id. */
  profile: { record: 'ProfileState' },
  /** One, under `now`. */
  role: { record: 'Role' },
  ...computingStores,
} as const satisfies Stores;

type ProjectorWork = Work<
  typeof stores,
  {
    readonly profile: { readonly value: 'Profile' };
    readonly own: { readonly value: 'Profile' };
    readonly role: { readonly value: 'Role' };
    readonly move: { readonly value: 'Move' };
    readonly told: { readonly value: 'TraitFill' };
    readonly expiry: { readonly value: 'ProfileExpiry' };
  }
>;

export interface ProjectorOptions {
  readonly generation: number;
  /** Default profile id of the identifier with this hash; asked where events speak of another generation's places. */
  readonly homeOf?: (hash: string) => string;
  /** Of anonymous profiles; none: they are kept for ever. */
  readonly retention?: Retention | undefined;
  /** Until it is told otherwise what it says is for nobody but its own generation, and it decides nothing. */
  readonly quiet?: boolean;
  /** Where it begins with nothing, it folds events from now on, and `backfill.ts` reads all before from history. */
  readonly rebuilds?: boolean;
}

/** Folds events into profiles, and keeps them right while identifiers move between profiles. */
export const createProjector = (options: ProjectorOptions) => {
  const { generation, quiet = false, rebuilds = false } = options;
  const own = quietTopics(generation);
  return defineTask({
    name: 'projector',
    inputs: {
      event: topics.eventsStitched,
      change: topics.identityChanges,
      ownChange: own.identityChanges,
      move: movesTopic(generation),
      fill: fillsTopic(generation),
      expiry: topics.profileExpiries,
      control: controlTopic(generation, 'projector'),
    },
    outputs: {
      profile: topics.profiles,
      own: own.profiles,
      role: rolesTopic(generation),
      move: movesTopic(generation),
      told: traitFillsTopic(generation),
      expiry: topics.profileExpiries,
    },
    stores,
    counts: {
      [EXPIRED]: { name: 'tributary_projector_expired_profiles', help: 'Anonymous profiles that expired' },
      [FILLED]: { name: 'tributary_projector_filled_events', help: 'Events that were folded from history' },
      [FORGOTTEN]: { name: 'tributary_projector_forgotten_events', help: 'Events that expired with their profiles' },
    },
    // What is live learns of all that its own linker says, where that has begun before it.
    startsAtEndOf: [...(rebuilds ? (['event'] as const) : []), ...(quiet ? (['change'] as const) : [])],
    goesOn: true,
    process(inputs, work, definitions) {
      const batch = new Batch(work, options, definitions);
      for (const input of inputs) {
        if (input.value === null) work.reject(input, { reason: 'empty', message: 'a record without a value' });
        else if (input.input === 'event') batch.event(input, input.value);
        else if (input.input === 'change' || input.input === 'ownChange') batch.change(input, input.value);
        else if (input.input === 'move') batch.move(input, input.value);
        else if (input.input === 'fill') batch.fill(input, input.value);
        else if (input.input === 'control') batch.control(input, input.value);
        else batch.expiry(input, input.value);
      }
      batch.finish();
    },
  });
};

/** In the accounting. */
const EXPIRED = 'expired_profiles';
const FILLED = 'filled_events';
const FORGOTTEN = 'forgotten_events';
const NOW = 'now';

const wantedIn = (definitions: Definitions): WantedTrait[] =>
  definitions
    .list('traits')
    .flatMap(({ name, version, body: { compute, timeZone = 'UTC' } }) =>
      compute ? [{ trait: name, version, compute: JSON.stringify(compute), time_zone: timeZone }] : [],
    );

/** Of traits that are not none. */
const sensitivitiesIn = (definitions: Definitions): Readonly<Record<string, string>> =>
  Object.fromEntries(
    definitions
      .list('traits')
      .flatMap(({ name, body: { sensitivity } }) => (sensitivity === 'none' ? [] : [[name, sensitivity]])),
  );

/** What a batch needs of the definitions, which seldom change between two. */
const read = remembering((definitions: Definitions) => ({
  wanted: wantedIn(definitions),
  sensitivities: sensitivitiesIn(definitions),
  anonymity: anonymityIn(definitions.get('identity_rules', 'default')?.body ?? defaultIdentityRules),
}));

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
  /** What it adds to computed traits. */
  cells: Kept;
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
  byWindow: boolean;
  byDefinition: boolean;
  byRetention: boolean;
  byReplay: boolean;
  /** What others know of it, as a generation is told that becomes live. */
  published: Published | undefined;
  time: number;
  into: string | null;
}

/** Parts of one tributary that arrived too late and follow it to one place. */
interface Passing {
  readonly place: Place;
  readonly messageIds: string[];
  cells: Kept;
  part: Tributary;
}

/** One batch: what comes for one identifier is folded once, and each touched profile combined once, at the end. */
class Batch {
  readonly #work: ProjectorWork;
  readonly #generation: number;
  readonly #homeOf: (hash: string) => string;
  readonly #known = new Map<string, Ownership | undefined>();
  readonly #visits = new Map<string, Visit>();
  readonly #passing = new Map<string, Passing>();

  readonly #computing: Computing;

  readonly #sensitivities: Readonly<Record<string, string>>;

  /** Who is not live does not decide what expires. */
  readonly #retention: Retention | undefined;

  readonly #anonymity: Anonymity;

  readonly #roleBefore: Role | undefined;
  #role: Role;

  constructor(work: ProjectorWork, options: ProjectorOptions, definitions: Definitions) {
    const { generation, homeOf = aloneInTheWorld, retention, quiet = false, rebuilds = false } = options;
    this.#work = work;
    this.#roleBefore = work.get('role', NOW);
    this.#role = this.#roleBefore ?? firstRole('projector', quiet, work.moment);
    this.#generation = generation;
    this.#homeOf = homeOf;
    const { wanted, sensitivities, anonymity } = read(definitions);
    this.#sensitivities = sensitivities;
    this.#retention = this.#role.role === 'live' ? retention : undefined;
    this.#anonymity = anonymity;
    const expiring = this.#retention ? `${this.#retention.ms} ${this.#anonymity.text}` : '';
    this.#computing = new Computing(
      work,
      wanted,
      sensitivities,
      expiring,
      rebuilds ? 'history' : quiet ? 'log' : 'none',
    );
  }

  event(input: Input, event: EventStitched): void {
    const identifier = event.identifiers[0];
    if (!identifier) {
      this.#work.reject(input, { reason: 'no_identifier', message: 'an event that no identifier routed' });
      return;
    }
    const part = ofEvent(event, identifier, event.currency);
    const causes = [event.message_id];
    const cells = this.#computing.cellsOf(event);
    if (event.generation === this.#generation || event.mapping_version === 0) {
      this.#arrive(input, part, { profile_id: event.profile_id, version: event.mapping_version }, causes, cells);
      return;
    }
    // Where another generation has it says nothing here.
    const home = { profile_id: this.#homeOf(identifier.hash), version: 0 };
    const { partition, partitions } = this.#work.moment;
    if (partitionOf(home.profile_id, partitions) === partition) this.#arrive(input, part, home, causes, cells);
    else {
      this.#pass(part, home, causes, cells);
      this.#work.settle(input, 'passed_on');
    }
  }

  move(input: Input, move: Move): void {
    const { tributary, profile_id, version, causes, cells, forgotten } = move;
    const isForgotten = !this.#arrive(input, tributary, { profile_id, version }, causes, gathered(cells), forgotten);
    // It was counted as folded where it came from.
    if (isForgotten) this.#work.count(FORGOTTEN, tributary.events);
  }

  fill(input: Input, { identifier, profile_id, version, tributary, cells, complete, received_at }: Fill): void {
    this.#computing.complete(complete);
    if (identifier) {
      const part = tributary ?? empty(identifier, received_at);
      const isKept = this.#arrive(input, part, { profile_id, version }, none, gathered(cells));
      if (tributary && isKept) this.#work.count(FILLED, tributary.events);
    } else this.#work.settle(input, 'noted');
  }

  /** Another partition's decision, or another generation's. It is addressed as what is known by nobody: to the default profile. */
  expiry(input: Input, { identifier_type, hash, until }: ProfileExpiry): void {
    this.#locate({ type: identifier_type, value: '', hash }, { profile_id: input.key, version: 0 }, until);
    this.#work.settle(input, 'noted');
  }

  /** Another generation becomes live, or this one does. */
  control(input: Input, control: Control): void {
    const { kind, edition, profile } = control;
    const before = this.#role;
    this.#role = roleAfter(before, control);
    if (kind === 'published') {
      const isAwaited = this.#role.role === 'adopting' && this.#role.edition === edition;
      const visit = profile && isAwaited ? this.#visit(input.key) : undefined;
      if (visit && visit.state.edition < edition) {
        visit.published = profile as Profile;
        visit.byReplay = true;
      }
    } else if (this.#role !== before) this.#computing.look();
    this.#work.settle(input, 'noted');
  }

  change(input: Input, change: IdentityChange): void {
    const { kind, identifier, profile_id, version, to_profile_id } = change;
    if (change.generation !== this.#generation) {
      this.#work.settle(input, 'noted');
    } else if (kind === 'discovered') {
      this.#arrive(input, empty(identifier, change.decided_at), { profile_id, version }, none, none);
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
    for (const { place, part, messageIds, cells } of this.#passing.values())
      this.#send(part, place, smallest(messageIds), part.updated_at, this.#computing.inPieces(cells));
    const { byTime, bySweep } = this.#computing.waiting(this.#role.edition);
    for (const profileId of byTime) {
      const visit = this.#visit(profileId);
      visit.byWindow = true;
      this.#expire(visit);
    }
    for (const profileId of bySweep) {
      const visit = this.#visit(profileId);
      if (visit.state.epoch === UNTOLD || visit.state.edition < this.#role.edition) visit.byReplay = true;
      else visit.byDefinition = true;
    }
    for (const visit of this.#visits.values()) this.#settleProfile(visit);
    this.#computing.rest();
    this.#keepRole();
  }

  #keepRole(): void {
    if (this.#role.role === 'telling' && this.#computing.haveBeenLookedAt) {
      this.#role = { ...this.#role, role: 'live' };
      // Who is live decides what expires.
      this.#work.goOn();
    }
    if (this.#role === this.#roleBefore || this.#role.edition === 1) return;
    this.#work.put('role', NOW, this.#role);
    this.#work.emit('role', `projector/${this.#role.partition}`, this.#role, this.#work.moment.now);
  }

  /**
   * Folds a part where it is addressed, or passes it on; unless it has expired.
   * @param forgotten what of the identifier has, as the sender knows it
   * @returns whether it has not
   */
  #arrive(
    input: Input,
    part: Tributary,
    address: Place,
    messageIds: readonly string[],
    cells: Kept,
    forgotten = 0,
  ): boolean {
    const { hash } = part.identifier;
    const { passTo, until } = this.#locate(part.identifier, address, forgotten);
    if (until > 0 && part.updated_at <= until) {
      this.#work.settle(input, 'expired');
      return false;
    }
    if (passTo) {
      this.#pass(part, passTo, messageIds, cells);
      this.#work.settle(input, 'passed_on');
      return true;
    }
    const visit = this.#visit(address.profile_id);
    const holding = this.#holding(visit, hash);
    holding.added = holding.added ? merge(holding.added, part) : part;
    for (const id of messageIds) {
      visit.messageIds.push(id);
      holding.messageIds.push(id);
    }
    holding.cells = united(holding.cells, cells);
    if (messageIds.length > 0) visit.byEvent = true;
    else visit.byRegroup = true;
    if (part.updated_at > visit.time) visit.time = part.updated_at;
    this.#work.settle(input, 'folded');
    return true;
  }

  /** Where what is addressed so is at home, and what of the identifier has expired; what is new of that goes there, too. */
  #locate(
    identifier: Identifier,
    address: Place,
    forgotten: number,
  ): { readonly passTo: Place | undefined; readonly until: number } {
    const { hash } = identifier;
    const known = this.#knownOf(hash);
    const { known: place, passTo } = arrive(known, address);
    const isNews = this.#remember(hash, known, place, forgotten);
    const until = this.#knownOf(hash)?.forgotten ?? 0;
    if (isNews && passTo) this.#tell(identifier, passTo);
    return { passTo, until };
  }

  /** Says at another place what of an identifier has expired. It is nothing that could be folded there. */
  #tell(identifier: Identifier, place: Place): void {
    this.#send(empty({ ...identifier, value: '' }), place, none, this.#work.moment.now, []);
  }

  /** A profile whose time to expire has come does so, if it has been silent for that long. */
  #expire(visit: Visit): void {
    const { profileId, state, holdings } = visit;
    if (!this.#retention || state.expires === null || state.expires > this.#work.moment.now) return;
    const { ms, homeOf } = this.#retention;
    const { now } = this.#work.moment;
    const until = now - ms;
    const held = memberHashes(state.members, holdings).flatMap((hash) => heldIn(this.#holding(visit, hash)) ?? []);
    if (!areAnonymous(held, this.#anonymity) || lastReceived(held) > until) return;
    // Who is about to leave decides for those whom it joins.
    const isLeaving = ({ identifier: { hash } }: Tributary): boolean =>
      (this.#knownOf(hash)?.profile_id ?? profileId) !== profileId;
    if (held.some(isLeaving)) return;
    for (const { identifier } of held) {
      const { type: identifier_type, hash } = identifier;
      const known = this.#knownOf(hash);
      this.#remember(hash, known, known ?? { profile_id: profileId, version: 0 }, until);
      const expiry = { identifier_type, hash, profile_id: profileId, until, decided_at: now };
      this.#work.emit('expiry', homeOf(hash), { ...expiry, generation: this.#generation }, now);
    }
    visit.byWindow = false;
  }

  /** Drops what a profile holds of an identifier, if all of it was received until then. */
  #forget(profileId: string, hash: string, until: number): void {
    if (!this.#visits.has(profileId) && !this.#work.get('profile', profileId)) return;
    const visit = this.#visit(profileId);
    const holding = this.#holding(visit, hash);
    const held = heldIn(holding);
    if (!held || held.updated_at > until) return;
    this.#work.count(FORGOTTEN, held.events);
    this.#computing.take(`${profileId}/${hash}`);
    takeAll(holding);
    visit.byRetention = true;
  }

  /** @returns whether a tributary left the profile. */
  #depart(identifier: Identifier, profileId: string, to: Place, decidedAt: number): boolean {
    const { hash } = identifier;
    const known = this.#knownOf(hash);
    const departure = depart(known, profileId, to);
    this.#remember(hash, known, departure.known, 0);
    if (!departure.sendTo) return false;
    const visit = this.#visit(profileId);
    const holding = this.#holding(visit, hash);
    const held = heldIn(holding);
    if (!held) {
      if (known && known.forgotten > 0) this.#tell(identifier, departure.sendTo);
      return false;
    }
    // Events that came in this batch are told of where they go: no version here may ever speak of them.
    const parts = [...this.#computing.inPieces(holding.cells), ...this.#computing.take(`${profileId}/${hash}`)];
    this.#send(held, departure.sendTo, smallest(holding.messageIds), Math.max(held.updated_at, decidedAt), parts);
    takeAll(holding);
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

  /** @returns whether more has expired than was known */
  #remember(hash: string, before: Ownership | undefined, { profile_id, version }: Place, until: number): boolean {
    const forgotten = Math.max(before?.forgotten ?? 0, until);
    const isNews = forgotten > (before?.forgotten ?? 0);
    if (before && before.version === version && before.profile_id === profile_id && !isNews) return false;
    const known = { profile_id, version, forgotten };
    this.#known.set(hash, known);
    if (version > 0 || forgotten > 0) this.#work.put('ownership', hash, known);
    if (isNews) this.#forget(profile_id, hash, forgotten);
    return isNews;
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
      byWindow: false,
      byDefinition: false,
      byRetention: false,
      byReplay: false,
      published: undefined,
      time: 0,
      into: null,
    };
    this.#visits.set(profileId, visit);
    return visit;
  }

  #holding(visit: Visit, hash: string): Holding {
    const open = visit.holdings.get(hash);
    if (open) return open;
    const before = visit.state.members.includes(hash)
      ? this.#work.get('tributary', `${visit.profileId}/${hash}`)
      : undefined;
    const holding: Holding = { before, kept: before, added: undefined, messageIds: [], cells: none };
    visit.holdings.set(hash, holding);
    return holding;
  }

  #pass(part: Tributary, place: Place, messageIds: readonly string[], cells: Kept): void {
    const key = `${place.profile_id}/${place.version}/${part.identifier.hash}`;
    const passing = this.#passing.get(key);
    if (!passing) {
      this.#passing.set(key, { place, part, messageIds: [...messageIds], cells });
      return;
    }
    passing.part = merge(passing.part, part);
    for (const id of messageIds) passing.messageIds.push(id);
    passing.cells = united(passing.cells, cells);
  }

  /** @param parts cells that go along; the limits leave room for the first of them in one piece with the tributary, others follow */
  #send(
    tributary: Tributary,
    place: Place,
    causes: readonly string[],
    timestamp: number,
    parts: readonly Kept[],
  ): void {
    const { profile_id, version } = place;
    const forgotten = this.#knownOf(tributary.identifier.hash)?.forgotten ?? 0;
    const pieces = Math.max(1, parts.length);
    for (let piece = 0; piece < pieces; piece++) {
      const move: Move = {
        profile_id,
        version,
        // What was received until then counts for each piece alike.
        tributary: piece === 0 ? tributary : empty(tributary.identifier, tributary.updated_at),
        forgotten,
        cells: parts[piece] ?? none,
        causes: piece === 0 ? causes : none,
        piece,
        pieces,
        generation: this.#generation,
      };
      this.#work.emit('move', profile_id, move, timestamp);
    }
  }

  #settleProfile(visit: Visit): void {
    if (this.#computing.isRebuilding) {
      this.#keep(visit);
      return;
    }
    const { profileId, state, holdings } = visit;
    const { role, edition } = this.#role;
    const isFirst = state.edition < edition;
    const published = visit.published ?? (isFirst ? this.#knownElsewhere(state) : undefined);
    // What is published of it in the end is not known to who adopts before it is told.
    const isForAll = role !== 'quiet' && (role !== 'adopting' || !isFirst || published !== undefined);
    const output = isForAll ? 'profile' : 'own';
    if (published && state.version > 0) visit.byReplay = true;
    const touched: Kept[] = [];
    // Then any computed trait may be another, and anything that is kept may be out of every window.
    const isOther =
      visit.byRegroup ||
      visit.byWindow ||
      visit.byDefinition ||
      visit.byRetention ||
      visit.byReplay ||
      !state.alive ||
      this.#computing.isPast(state);
    const before: Tributary[] = [];
    const after: Tributary[] = [];
    const members: string[] = [];
    const places: string[] = [];
    for (const hash of memberHashes(state.members, holdings)) {
      const holding = holdings.get(hash);
      const place = `${profileId}/${hash}`;
      const was = holding ? holding.before : this.#work.get('tributary', place);
      const is = holding ? heldIn(holding) : was;
      if (was) before.push(was);
      if (is) {
        after.push(is);
        members.push(hash);
        places.push(place);
      }
      if (isOther) this.#computing.trim(place);
      if (holding && holding.cells.length > 0) {
        touched.push(holding.cells);
        this.#computing.add(place, holding.cells);
      }
      if (is === was) continue;
      if (is) this.#work.put('tributary', place, is);
      else this.#work.remove('tributary', place);
    }
    const next = nextVersion(profileId, state, before, after, members, {
      messageIds: visit.messageIds,
      byEvent: visit.byEvent,
      byRegroup: visit.byRegroup || visit.quarantined !== state.quarantined,
      quarantined: visit.quarantined,
      byWindow: visit.byWindow,
      byDefinition: visit.byDefinition,
      byRetention: visit.byRetention,
      byReplay: visit.byReplay,
      published,
      edition,
      computed: (traits) => this.#computing.computed(places, state, traits, isOther ? undefined : touched),
      sensitivities: this.#sensitivities,
      time:
        visit.byWindow || visit.byDefinition || visit.byRetention || (visit.byReplay && published)
          ? Math.max(visit.time, this.#work.moment.now)
          : visit.time,
      into: visit.into,
      generation: this.#generation,
    });
    // Also identifiers that were only seen beside others, and make no profile.
    const expires = members.length > 0 ? this.#expiresAt(visit, after) : null;
    // It is among what is published from now on.
    if (published && isForAll && state.alive) this.#work.emit('own', profileId, null, this.#work.moment.now);
    const due = next.state.due === null || (expires !== null && expires < next.state.due) ? expires : next.state.due;
    this.#computing.wake(profileId, state.due, due);
    if (next.state.version === 0 && members.length === 0 && !visit.quarantined) {
      if (state !== unborn) this.#work.remove('profile', profileId);
      return;
    }
    const isElse =
      due !== state.due ||
      expires !== state.expires ||
      !sameList(members, state.members) ||
      visit.quarantined !== state.quarantined ||
      next.state.edition !== state.edition;
    if (next.profile || isElse) this.#work.put('profile', profileId, { ...next.state, due, expires });
    if (!next.profile) return;
    this.#work.emit(output, profileId, next.profile, next.profile.updated_at);
    if (!next.profile.gone) return;
    this.#work.emit(output, profileId, null, next.profile.updated_at);
    if (visit.byRetention) this.#work.count(EXPIRED, 1);
  }

  /** What those know of a profile who read what is told now, if it was told last in an earlier edition. */
  #knownElsewhere({ version }: ProfileState): Published | undefined {
    const { role } = this.#role;
    if (role === 'adopting') return undefined;
    return role === 'quiet' ? { ...unpublished, version } : unpublished;
  }

  /** Keeps what is known of a profile, of which nothing is told as yet. */
  #keep({ profileId, state, holdings, quarantined }: Visit): void {
    let members: readonly string[] = state.members;
    for (const [hash, holding] of holdings) {
      const place = `${profileId}/${hash}`;
      const { before } = holding;
      const is = heldIn(holding);
      this.#computing.add(place, holding.cells);
      if (is === before) continue;
      if (is) this.#work.put('tributary', place, is);
      else this.#work.remove('tributary', place);
      if (!before) members = [...members, hash].sort();
      else if (!is) members = members.filter((one) => one !== hash);
    }
    if (members.length > 0 || quarantined)
      this.#work.put('profile', profileId, { ...state, members, quarantined, epoch: UNTOLD });
    else if (state !== unborn) this.#work.remove('profile', profileId);
  }

  /** When an anonymous profile is to be looked at. */
  #expiresAt({ state, byWindow }: Visit, held: readonly Tributary[]): number | null {
    if (!this.#retention || !areAnonymous(held, this.#anonymity)) return null;
    const { now } = this.#work.moment;
    const hasCome = byWindow && state.expires !== null && state.expires <= now;
    return expiresAt(state, lastReceived(held), this.#retention.ms, now, hasCome);
  }
}

/** Nothing of it is left here. */
function takeAll(holding: Holding): void {
  holding.cells = none;
  holding.kept = undefined;
  holding.added = undefined;
  holding.messageIds = [];
}

const heldIn = ({ kept, added }: Holding): Tributary | undefined =>
  kept && added ? merge(kept, added) : (kept ?? added);

/** Hashes of the identifiers that are or were held, sorted. */
function memberHashes(members: readonly string[], holdings: ReadonlyMap<string, Holding>): readonly string[] {
  let all = members;
  for (const hash of holdings.keys()) if (!members.includes(hash)) all = [...all, hash];
  return all === members ? members : all.toSorted();
}

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, n) => item === b[n]);
