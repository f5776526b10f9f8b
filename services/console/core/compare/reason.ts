import type { Identifier } from '#schemas/generated/records.ts';
import type { Digested } from '#shared/profiles/digest.ts';
import { type ProfileDifference, profileDifferences } from './profile-differences.ts';
import type { Figures } from './third-opinion.ts';

/**
 * Why two feeds say different things of a profile:
 * - `rule`: its identifiers are grouped otherwise;
 * - `definition`: a trait is defined otherwise;
 * - `late event`: one of them has not come to an event yet;
 * - `missing event`: one of them, or the event log, lacks an event;
 * - `lost move`: what an identifier routed is in no profile;
 * - `doubled tributary`: what an identifier routed counts twice, in one profile or in two;
 * - `state`: the same events by the same rules, and another value.
 */
export type Reason =
  | 'rule'
  | 'definition'
  | 'late event'
  | 'missing event'
  | 'lost move'
  | 'doubled tributary'
  | 'state';

export interface Guess {
  readonly reason: Reason;
  /** Which of the two is the odd one, as far as that can be told. */
  readonly at: 'first' | 'second' | 'event log' | null;
  /** Identifiers that it is about. */
  readonly identifiers: readonly Identifier[];
  /** Message ids of the events that it is about, as far as they are known. */
  readonly events: readonly string[];
}

/** An event of the log. */
export interface Logged {
  readonly hash: string;
  readonly message_id: string;
  /** What a profile counts it as. */
  readonly event: string;
  readonly received_at: number;
}

/** What one feed says of a profile. */
export interface Said {
  /** Undefined: there is none. */
  readonly profile: (Digested & { readonly updated_at: number }) | undefined;
  /** Message ids that led to its versions, as far as the feed still has them. */
  readonly causes: ReadonlySet<string>;
}

/** What the guess goes by, beside the two profiles. */
export interface Clues {
  /** Of each feed, the profiles that hold an identifier, where only one of two that are compared does. */
  readonly holdersOf: (feed: 0 | 1, hash: string) => readonly string[];
  /** What the event log says of what an identifier routed. */
  readonly figuresOf: (hash: string) => Figures;
  /** By hash of the identifier that routed them. */
  readonly logged: ReadonlyMap<string, readonly Logged[]>;
  /** Message ids that led to versions of profiles that have, or had, one of these identifiers, and that the event log does not have. */
  readonly unloggedOf: (identifiers: readonly Identifier[]) => readonly string[];
}

const nothingSaid = { identifiers: [], events: [] } as const;

export function guessAt(said: readonly [Said, Said], clues: Clues): Guess {
  const [first, second] = [said[0].profile, said[1].profile];
  const apart = regrouped(said, clues);
  if (apart) return apart;
  const all = identifiersOf(first ?? second);
  if (first?.events !== second?.events) return byEvents(said, all, clues);
  const differences = profileDifferences(first, second);
  const areOtherwise = differences.filter((one) => !isOfDefinition(one));
  if (differences.length > 0 && areOtherwise.length === 0) return { reason: 'definition', at: null, ...nothingSaid };
  if (areOtherwise.every(isQuarantine)) return { reason: 'rule', at: null, ...nothingSaid };
  return { reason: 'state', at: null, ...nothingSaid };
}

/** Where a profile says something else than the event log, and both feeds say the same, or there is only one. */
export function guessOfOne(said: Said, clues: Clues): Guess {
  const all = identifiersOf(said.profile);
  const log = logOf(all, clues);
  const events = said.profile?.events ?? 0;
  const [told, logged] = [toldOf(said.profile), countsOf(loggedOf(all, clues))];
  if (events > log) return tooMany(all, { by: events - log, counts: without(told, logged) }, clues, 'first');
  if (events < log) return tooFew(said, all, { by: log - events, counts: without(logged, told) }, clues, 'first');
  return { reason: 'state', at: 'first', ...nothingSaid };
}

const identifiersOf = (profile: Digested | undefined): readonly Identifier[] => profile?.identifiers ?? [];

const logOf = (identifiers: readonly Identifier[], { figuresOf }: Clues): number =>
  identifiers.reduce((sum, { hash }) => sum + figuresOf(hash).events, 0);

/** Identifiers that one of two has and the other does not. */
export function onlyIn(one: Said['profile'], other: Said['profile']): readonly Identifier[] {
  const held = new Set(identifiersOf(other).map(({ hash }) => hash));
  return identifiersOf(one).filter(({ hash }) => !held.has(hash));
}

/** Undefined where both have the same identifiers. */
function regrouped(said: readonly [Said, Said], clues: Clues): Guess | undefined {
  for (const feed of [0, 1] as const) {
    const twice = onlyIn(said[feed].profile, said[other(feed)].profile).filter(
      ({ hash }) => clues.holdersOf(feed, hash).length > 1,
    );
    if (twice.length > 0) return { reason: 'doubled tributary', at: nameOf(feed), identifiers: twice, events: [] };
  }
  for (const feed of [0, 1] as const) {
    const [mine, theirs] = [said[feed], said[other(feed)]];
    const onlyThere = onlyIn(theirs.profile, mine.profile);
    const nowhere = onlyThere.filter(({ hash }) => clues.holdersOf(feed, hash).length === 0);
    if (nowhere.length === 0) continue;
    const events = loggedOf(nowhere, clues);
    const messageIds = events.map(({ message_id }) => message_id);
    const at = nameOf(feed);
    if (mine.profile) return { reason: 'lost move', at, identifiers: nowhere, events: messageIds };
    const lastSaid = theirs.profile?.updated_at ?? 0;
    const isLate = events.length > 0 && events.every(({ received_at }) => received_at >= lastSaid - LATE_MS);
    return { reason: isLate ? 'late event' : 'missing event', at, identifiers: nowhere, events: messageIds };
  }
  const [first, second] = said;
  const moved = [...onlyIn(first.profile, second.profile), ...onlyIn(second.profile, first.profile)];
  return moved.length === 0 ? undefined : { reason: 'rule', at: null, identifiers: moved, events: [] };
}

const other = (feed: 0 | 1): 0 | 1 => (feed === 0 ? 1 : 0);
const nameOf = (feed: 0 | 1) => (feed === 0 ? 'first' : 'second');

/** An event that was received so shortly before may still be on its way. */
const LATE_MS = 10_000;

/** So many events there are too many or too few; and of which names, where it is no more than that. */
interface Miscounted {
  readonly by: number;
  readonly counts: Counts | undefined;
}

/** By name of the event. */
type Counts = ReadonlyMap<string, number>;

function countsOf(events: Iterable<{ readonly event: string; readonly count?: number }>): Counts {
  const counts = new Map<string, number>();
  for (const { event, count = 1 } of events) counts.set(event, (counts.get(event) ?? 0) + count);
  return counts;
}

const toldOf = (profile: Said['profile']): Counts => countsOf(profile?.event_counts ?? []);

/** Undefined where the others are not all among them. */
function without(counts: Counts, others: Counts): Counts | undefined {
  if (!includes(counts, others)) return undefined;
  return new Map([...counts].map(([event, count]) => [event, count - (others.get(event) ?? 0)]));
}

const includes = (counts: Counts, others: Counts): boolean =>
  [...others].every(([event, count]) => (counts.get(event) ?? 0) >= count);

const loggedOf = (identifiers: readonly Identifier[], { logged }: Clues): readonly Logged[] =>
  identifiers.flatMap(({ hash }) => logged.get(hash) ?? []);

function byEvents(said: readonly [Said, Said], all: readonly Identifier[], clues: Clues): Guess {
  const log = logOf(all, clues);
  const [first, second] = said.map(({ profile }) => profile?.events ?? 0) as [number, number];
  const more = first > second ? 0 : 1;
  const fewer = other(more);
  const by = Math.abs(first - second);
  const counts = without(toldOf(said[more].profile), toldOf(said[fewer].profile));
  if (log >= Math.max(first, second)) return tooFew(said[fewer], all, { by, counts }, clues, nameOf(fewer));
  return tooMany(all, { by, counts }, clues, nameOf(more));
}

/** It has events that the log does not have, or has some twice. */
function tooMany(all: readonly Identifier[], miscounted: Miscounted, clues: Clues, at: 'first' | 'second'): Guess {
  const unlogged = [...new Set(clues.unloggedOf(all))].sort();
  if (unlogged.length > 0) return { reason: 'missing event', at: 'event log', identifiers: [], events: unlogged };
  const { whole, part } = suspects(all, miscounted, clues);
  const twice = whole.length > 0 ? whole : part;
  if (twice.length > 0) return { reason: 'doubled tributary', at, identifiers: twice, events: [] };
  return { reason: 'missing event', at: 'event log', ...nothingSaid };
}

/** It lacks events that the log has. */
function tooFew(
  { profile, causes }: Said,
  all: readonly Identifier[],
  miscounted: Miscounted,
  clues: Clues,
  at: 'first' | 'second',
): Guess {
  const { by } = miscounted;
  const logged = loggedOf(all, clues);
  const late = logged.filter(({ received_at }) => received_at > (profile?.updated_at ?? 0));
  const ids = (events: readonly Logged[]): readonly string[] => events.map(({ message_id }) => message_id);
  if (late.length === by) return { reason: 'late event', at, identifiers: [], events: ids(late) };
  const { whole, part } = suspects(all, miscounted, clues);
  if (by > 1 && whole.length > 0 && all.length > 1)
    return { reason: 'lost move', at, identifiers: whole, events: ids(loggedOf(whole, clues)) };
  const unseen = logged.filter(({ message_id }) => !causes.has(message_id));
  if (unseen.length === by) return { reason: 'missing event', at, identifiers: [], events: ids(unseen) };
  if (part.length > 0 && all.length > 1) return { reason: 'lost move', at, identifiers: part, events: [] };
  return { reason: 'missing event', at, ...nothingSaid };
}

/**
 * Identifiers that routed just these events; and, since more may have come after it went wrong, those that routed these first, or else among
 * others. Of a single event that would be said of nearly all.
 */
function suspects(all: readonly Identifier[], { by, counts }: Miscounted, clues: Clues) {
  const areKnown = counts !== undefined && sumOf(counts) === by && clues.logged.size > 0;
  const routedThese = (among: (logged: readonly Logged[]) => readonly Logged[]) =>
    areKnown ? all.filter((one) => includes(countsOf(among(loggedOf([one], clues))), counts)) : all;
  const some = routedThese((logged) => logged);
  const whole = some.filter(({ hash }) => clues.figuresOf(hash).events === by);
  if (!areKnown || by === 1) return { whole, part: [] };
  const first = routedThese((logged) => logged.toSorted((a, b) => a.received_at - b.received_at).slice(0, by));
  return { whole, part: first.length > 0 ? first : some };
}

const sumOf = (counts: Counts): number => [...counts.values()].reduce((sum, count) => sum + count, 0);

/** A computed trait of another version, one that only one of them has, or another sensitivity. */
function isOfDefinition({ path, values: [a, b] }: ProfileDifference): boolean {
  if (path.startsWith('computed.')) return a === null || b === null || versionOf(a) !== versionOf(b);
  if (!path.startsWith('traits.') || a === null || b === null) return false;
  const { sensitivity: _, ...mine } = a as Record<string, unknown>;
  const { sensitivity: __, ...theirs } = b as Record<string, unknown>;
  return Object.keys(mine).every((name) => mine[name] === theirs[name]);
}

const versionOf = (computed: unknown): unknown =>
  (computed as { readonly definition_version: number }).definition_version;

function isQuarantine({ path, values }: ProfileDifference): boolean {
  if (path !== 'flags') return false;
  const [a, b] = values.map((flags) => new Set(((flags ?? []) as string[]).filter((flag) => flag !== 'quarantined')));
  return a?.symmetricDifference(b as Set<string>).size === 0;
}
