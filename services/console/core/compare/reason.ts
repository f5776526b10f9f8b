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
 * - `doubled tributary`: what an identifier routed counts twice;
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
  /** Of each feed, the profiles that hold identifiers, by their hashes, of all that are looked at; undefined: not known. */
  readonly holderOf: (feed: 0 | 1, hash: string) => string | undefined;
  /** What the event log says of what an identifier routed. */
  readonly figuresOf: (hash: string) => Figures;
  readonly logged: readonly Logged[];
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
  if (events > log) return tooMany(all, events - log, clues, 'first');
  if (events < log) return tooFew(said, all, log - events, clues, 'first');
  return { reason: 'state', at: 'first', ...nothingSaid };
}

const identifiersOf = (profile: Digested | undefined): readonly Identifier[] => profile?.identifiers ?? [];

const logOf = (identifiers: readonly Identifier[], { figuresOf }: Clues): number =>
  identifiers.reduce((sum, { hash }) => sum + figuresOf(hash).events, 0);

/** Undefined where both have the same identifiers. */
function regrouped(said: readonly [Said, Said], clues: Clues): Guess | undefined {
  for (const feed of [0, 1] as const) {
    const [mine, theirs] = [said[feed], said[feed === 0 ? 1 : 0]];
    const held = new Set(identifiersOf(mine.profile).map(({ hash }) => hash));
    const onlyThere = identifiersOf(theirs.profile).filter(({ hash }) => !held.has(hash));
    const nowhere = onlyThere.filter(({ hash }) => clues.holderOf(feed, hash) === undefined);
    if (nowhere.length === 0) continue;
    const events = nowhere.flatMap(({ hash }) => clues.logged.filter((one) => one.hash === hash));
    const messageIds = events.map(({ message_id }) => message_id);
    const at = feed === 0 ? 'first' : 'second';
    if (mine.profile) return { reason: 'lost move', at, identifiers: nowhere, events: messageIds };
    const lastSaid = theirs.profile?.updated_at ?? 0;
    const isLate = events.length > 0 && events.every(({ received_at }) => received_at >= lastSaid - LATE_MS);
    return { reason: isLate ? 'late event' : 'missing event', at, identifiers: nowhere, events: messageIds };
  }
  const [first, second] = said.map(({ profile }) => new Map(identifiersOf(profile).map((one) => [one.hash, one])));
  const moved = [...(first?.values() ?? []), ...(second?.values() ?? [])].filter(
    ({ hash }) => first?.has(hash) !== second?.has(hash),
  );
  return moved.length === 0 ? undefined : { reason: 'rule', at: null, identifiers: moved, events: [] };
}

/** An event that was received so shortly before may still be on its way. */
const LATE_MS = 10_000;

function byEvents(said: readonly [Said, Said], all: readonly Identifier[], clues: Clues): Guess {
  const log = logOf(all, clues);
  const [first, second] = said.map(({ profile }) => profile?.events ?? 0) as [number, number];
  const [more, fewer] = first > second ? ([0, 1] as const) : ([1, 0] as const);
  const counts = [first, second] as const;
  const nameOf = (feed: 0 | 1) => (feed === 0 ? 'first' : 'second');
  const difference = counts[more] - counts[fewer];
  if (log >= counts[more]) return tooFew(said[fewer], all, difference, clues, nameOf(fewer));
  return tooMany(all, difference, clues, nameOf(more));
}

/** It has events that the log does not have, or has some twice. */
function tooMany(all: readonly Identifier[], by: number, clues: Clues, at: 'first' | 'second'): Guess {
  const unlogged = [...new Set(clues.unloggedOf(all))].sort();
  if (unlogged.length > 0) return { reason: 'missing event', at: 'event log', identifiers: [], events: unlogged };
  const twice = all.filter(({ hash }) => clues.figuresOf(hash).events === by);
  if (twice.length > 0) return { reason: 'doubled tributary', at, identifiers: twice, events: [] };
  return { reason: 'missing event', at: 'event log', ...nothingSaid };
}

/** It lacks events that the log has. */
function tooFew(
  { profile, causes }: Said,
  all: readonly Identifier[],
  by: number,
  clues: Clues,
  at: 'first' | 'second',
): Guess {
  const hashes = new Set(all.map(({ hash }) => hash));
  const logged = clues.logged.filter(({ hash }) => hashes.has(hash));
  const late = logged.filter(({ received_at }) => received_at > (profile?.updated_at ?? 0));
  const ids = (events: readonly Logged[]): readonly string[] => events.map(({ message_id }) => message_id);
  if (late.length === by) return { reason: 'late event', at, identifiers: [], events: ids(late) };
  const lost = all.filter(({ hash }) => clues.figuresOf(hash).events === by);
  const unseen = logged.filter(({ message_id }) => !causes.has(message_id));
  if (by > 1 && lost.length > 0 && all.length > 1) {
    const gone = new Set(lost.map(({ hash }) => hash));
    return { reason: 'lost move', at, identifiers: lost, events: ids(logged.filter(({ hash }) => gone.has(hash))) };
  }
  return { reason: 'missing event', at, identifiers: [], events: unseen.length === by ? ids(unseen) : [] };
}

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
