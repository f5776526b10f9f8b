import { setTimeout as sleep } from 'node:timers/promises';
import type { Identifier, Profile } from '#schemas/generated/records.ts';
import { type Caused, EventFigures, figuresKey } from '../adapters/event-figures.ts';
import { type FeedHome, followDigests, type ProfilesTopic, readHolders, readSaid } from '../adapters/profile-feed.ts';
import type { Query } from '../adapters/query.ts';
import { Agreeing, type Agreement } from '../core/compare/agreement.ts';
import { DigestTable } from '../core/compare/digest-table.ts';
import { type ProfileDifference, profileDifferences } from '../core/compare/profile-differences.ts';
import { type Clues, type Guess, guessAt, guessOfOne, onlyIn, type Said } from '../core/compare/reason.ts';
import { Sample } from '../core/compare/sample.ts';
import {
  type Askable,
  canBeAsked,
  type Disagreement,
  disagreements,
  type Figures,
  noFigures,
  sumOfFigures,
} from '../core/compare/third-opinion.ts';

/** What is compared, and with what. */
export interface Comparing {
  readonly home: FeedHome;
  readonly query: Query;
  /** The live feed, and another. */
  readonly topics: readonly ProfilesTopic[];
  /** As of then, milliseconds; undefined: as it is now. */
  readonly at: number | undefined;
  /** Of how many profiles that differ it is told how. */
  readonly limit: number;
  /** Of how many profiles the event log is asked at most. */
  readonly mostAsked: number;
  /** Told how many identifiers the event log was asked of, and of how many it will be. */
  readonly onProgress?: (done: number, of: number) => void;
}

/** A profile that differs. */
export interface DifferingProfile {
  readonly profile_id: string;
  readonly guess: Guess;
  /** Those that it has in either feed. */
  readonly identifiers: readonly Identifier[];
  readonly differences: readonly ProfileDifference[];
  /** Of each feed, where it says something else than the event log. */
  readonly disagreements: readonly [readonly Disagreement[], readonly Disagreement[]];
}

/** A profile of which the feeds say the same, and the event log something else. */
export interface DisputedProfile {
  readonly profile_id: string;
  readonly guess: Guess;
  readonly disagreements: readonly Disagreement[];
}

export interface Comparison {
  readonly agreement: Agreement;
  /** The first of those that differ. */
  readonly differing: readonly DifferingProfile[];
  /** Of how many that differ it was looked why. */
  readonly explained: number;
  readonly reasons: Readonly<Record<string, number>>;
  readonly eventLog: {
    /** Profiles that it was asked of. */
    readonly asked: number;
    /** Profiles that say something else, in whichever feed; of each feed, in how many. */
    readonly disagreeing: number;
    readonly byFeed: readonly number[];
    /** The first of those that do not differ besides. */
    readonly disputed: readonly DisputedProfile[];
  };
}

/** As long as something differs, it is looked at so often, and so long after. */
const LOOKS = 5;
const BETWEEN_LOOKS_MS = 1_000;
/** What was received more recently may still be on its way into profiles. */
const UNDER_WAY_MS = 15_000;
/** Of so many that differ it is looked why; their contents are held meanwhile. */
const MOST_EXPLAINED = 1_000;
const MOST_LOGGED = 100_000;

export type Facts = Askable & Pick<Profile, 'updated_at'>;

export async function compareFeeds(comparing: Comparing): Promise<Comparison> {
  const { home, topics, at, limit } = comparing;
  const { agreement, facts, profiles } = await agreementOf(comparing);
  const opinion = await opinionOf(comparing, facts);
  const differingIds = new Set(agreement.differing);
  const explained = agreement.differing.slice(0, MOST_EXPLAINED);
  const disputed = [...opinion.disagreeing].filter((id) => !differingIds.has(id)).sort();
  const ids = new Set([...explained, ...disputed.slice(0, limit)]);
  const said = await Promise.all(topics.map((topic) => readSaid(home, topic, ids, at)));
  const clues = await cluesFor(comparing, said);
  const differing = explained.map((id): DifferingProfile => {
    const both = [said[0]?.get(id) ?? nobody, said[1]?.get(id) ?? nobody] as const;
    const [first, second] = both.map(({ profile }) => profile);
    return {
      profile_id: id,
      guess: guessAt(both, clues),
      identifiers: [first, second].flatMap((profile) => profile?.identifiers ?? []),
      differences: profileDifferences(first, second),
      disagreements: [disagreementsOf(first, clues), disagreementsOf(second, clues)],
    };
  });
  const reasons: Record<string, number> = {};
  for (const { guess } of differing) reasons[guess.reason] = (reasons[guess.reason] ?? 0) + 1;
  return {
    agreement,
    differing: differing.slice(0, limit),
    explained: explained.length,
    reasons,
    eventLog: {
      asked: profiles,
      disagreeing: opinion.disagreeing.size,
      byFeed: opinion.byFeed,
      disputed: disputed.slice(0, limit).map((id) => disputedProfile(id, said[0]?.get(id) ?? nobody, clues)),
    },
  };
}

/** Of one feed, the profiles that say something else than the event log, and the first of them with why. */
export async function askEventLog(
  asking: Omit<Comparing, 'mostAsked'>,
  facts: ReadonlyMap<string, Facts>,
): Promise<{ readonly disagreeing: number; readonly disputed: readonly DisputedProfile[] }> {
  const { disagreeing } = await opinionOf(asking, [facts]);
  const ids = [...disagreeing].sort().slice(0, asking.limit);
  const said = await readSaid(asking.home, asking.topics[0] as ProfilesTopic, new Set(ids), asking.at);
  const clues = await cluesFor(asking, [said]);
  return {
    disagreeing: disagreeing.size,
    disputed: ids.map((id) => disputedProfile(id, said.get(id) ?? nobody, clues)),
  };
}

const disputedProfile = (profile_id: string, said: Said, clues: Clues): DisputedProfile => ({
  profile_id,
  guess: guessOfOne(said, clues),
  disagreements: disagreementsOf(said.profile, clues),
});

const nobody: Said = { profile: undefined, causes: new Set() };

/** Reads the feeds once, and follows them while something differs. */
async function agreementOf({ home, topics, at, mostAsked }: Comparing): Promise<{
  readonly agreement: Agreement;
  /** Of each feed, by profile id. */
  readonly facts: readonly ReadonlyMap<string, Facts>[];
  readonly profiles: number;
}> {
  const moments =
    at === undefined
      ? undefined
      : Array.from({ length: LOOKS }, (_, n) => at + n * BETWEEN_LOOKS_MS).filter(
          (moment) => moment === at || moment <= Date.now(),
        );
  const table = new DigestTable(2, moments);
  const samples = topics.map(() => new Sample<Facts>(mostAsked));
  let agreeing: Agreeing | undefined;
  const readers = await Promise.all(
    topics.map((topic, feed) =>
      followDigests(home, topic, { table, feed }, (id, { digest, profile, updatedAt }) => {
        agreeing?.see(feed as 0 | 1, id, digest);
        if (updatedAt > (at ?? updatedAt)) return;
        if (profile) samples[feed]?.set(id, factsOf(profile));
        else samples[feed]?.delete(id);
      }),
    ),
  );
  try {
    const caughtUp = () => Promise.all(readers.map((reader) => reader.caughtUp()));
    await caughtUp();
    agreeing = new Agreeing(table);
    for (let looks = 1; at === undefined && agreeing.open > 0 && looks < LOOKS; looks++) {
      await sleep(BETWEEN_LOOKS_MS);
      await caughtUp();
      agreeing.look();
    }
    return { agreement: agreeing.result(), ...sampleOf(samples) };
  } finally {
    await Promise.all(readers.map((reader) => reader.stop()));
  }
}

export const factsOf = ({ identifiers, events, revenue, last_touch, flags, updated_at }: Profile): Facts => ({
  identifiers,
  events,
  revenue,
  last_touch,
  flags,
  updated_at,
});

/** Of each feed the same profiles. */
function sampleOf(samples: readonly Sample<Facts>[]) {
  const bits = Math.max(...samples.map((sample) => sample.bits));
  for (const sample of samples) sample.narrow(bits);
  const facts = samples.map(({ kept }) => kept);
  return { facts, profiles: new Set(facts.flatMap((one) => [...one.keys()])).size };
}

/** Until when events must be in a profile: all that it says it has, and what was received long enough ago. */
const untilOf = ({ updated_at }: Pick<Facts, 'updated_at'>, at: number): number =>
  Math.max(updated_at, at - UNDER_WAY_MS);

/** Profiles that say something else than the event log, each time when they are looked at. */
async function opinionOf(
  { home, query, topics, at, onProgress }: Omit<Comparing, 'mostAsked'>,
  facts: readonly ReadonlyMap<string, Facts>[],
): Promise<{ readonly disagreeing: ReadonlySet<string>; readonly byFeed: readonly number[] }> {
  const figures = new EventFigures(query, onProgress);
  const disagreeingIn = async (feeds: readonly ReadonlyMap<string, Facts>[]): Promise<Set<string>[]> => {
    const moment = at ?? Date.now();
    const asked = feeds.map((all) => [...all].filter(([, one]) => canBeAsked(one)));
    // Mostly both ask the same of an identifier.
    const known = await figures.of(
      asked.flat().flatMap(([, one]) => one.identifiers.map(({ hash }) => ({ hash, until: untilOf(one, moment) }))),
    );
    const differs = ([, one]: readonly [string, Facts]): boolean => {
      const until = untilOf(one, moment);
      const log = sumOfFigures(one.identifiers.map(({ hash }) => known.get(figuresKey({ hash, until })) ?? noFigures));
      return disagreements(one, log).length > 0;
    };
    return asked.map((those) => new Set(those.filter(differs).map(([id]) => id)));
  };
  const open = await disagreeingIn(facts);
  const isFew = (ids: ReadonlySet<string>): boolean => ids.size > 0 && ids.size <= MOST_EXPLAINED;
  for (let looks = 1; looks < LOOKS && open.some(isFew); looks++) {
    await sleep(BETWEEN_LOOKS_MS);
    for (const [feed, ids] of open.entries()) {
      if (!isFew(ids)) continue;
      const now = await readSaid(home, topics[feed] as ProfilesTopic, ids, at);
      const living = [...now].flatMap(([id, { profile }]) => (profile ? [[id, profile] as const] : []));
      [open[feed] = new Set()] = await disagreeingIn([new Map(living)]);
    }
  }
  return { disagreeing: new Set(open.flatMap((ids) => [...ids])), byFeed: open.map(({ size }) => size) };
}

function disagreementsOf(profile: Said['profile'], { figuresOf }: Clues): readonly Disagreement[] {
  if (!profile || !canBeAsked(profile)) return [];
  return disagreements(profile, sumOfFigures(profile.identifiers.map(({ hash }) => figuresOf(hash))));
}

async function cluesFor(
  { home, query, topics, at }: Omit<Comparing, 'limit' | 'mostAsked'>,
  said: readonly ReadonlyMap<string, Said>[],
): Promise<Clues> {
  const apart = apartIn(said);
  const holders = await Promise.all(topics.map((topic) => readHolders(home, topic, apart, at)));
  const moment = at ?? Date.now();
  const untils = new Map<string, number>();
  for (const { profile } of said.flatMap((all) => [...all.values()]))
    for (const { hash } of profile?.identifiers ?? [])
      untils.set(hash, Math.max(untils.get(hash) ?? 0, untilOf(profile as Facts, moment)));
  const figures = new EventFigures(query);
  const known = await figures.of([...untils].map(([hash, until]) => ({ hash, until })));
  const logged = (await figures.logged([...untils.keys()], MOST_LOGGED))?.filter(
    ({ hash, received_at }) => received_at <= (untils.get(hash) ?? 0),
  );
  const figuresOf = (hash: string): Figures =>
    known.get(figuresKey({ hash, until: untils.get(hash) ?? 0 })) ?? noFigures;
  const profiles = said.flatMap((all) => [...all.values()]);
  const isInLog = new Set(logged?.map(({ message_id }) => message_id));
  const unlogged = await unloggedCauses(
    figures,
    profiles.filter(({ profile }) => profile && profile.events > eventsIn(profile.identifiers, figuresOf)),
    isInLog,
  );
  return {
    holdersOf: (feed, hash) => holders[feed]?.get(hash) ?? [],
    figuresOf,
    logged: Map.groupBy(logged ?? [], ({ hash }) => hash),
    unloggedOf: (identifiers) => {
      const hashes = new Set(identifiers.map(({ hash }) => hash));
      return unlogged.filter((one) => one.hashes.some((hash) => hashes.has(hash))).flatMap(({ causes }) => causes);
    },
  };
}

/** Hashes of identifiers that a profile has in one feed, and not in the other. */
function apartIn([first, second]: readonly ReadonlyMap<string, Said>[]): ReadonlySet<string> {
  if (!first || !second) return new Set();
  const apart = [...first].flatMap(([id, { profile }]) => {
    const other = second.get(id)?.profile;
    return [...onlyIn(profile, other), ...onlyIn(other, profile)].map(({ hash }) => hash);
  });
  return new Set(apart);
}

const eventsIn = (identifiers: readonly Identifier[], figuresOf: Clues['figuresOf']): number =>
  identifiers.reduce((sum, { hash }) => sum + figuresOf(hash).events, 0);

/** What led to versions of profiles that had one of the identifiers of these, and is not in the event log, whatever routed it. */
async function unloggedCauses(
  figures: EventFigures,
  said: readonly Said[],
  isInLog: ReadonlySet<string>,
): Promise<readonly Caused[]> {
  if (said.length === 0) return [];
  const told = said.map(({ profile, causes }) => ({
    hashes: (profile?.identifiers ?? []).map(({ hash }) => hash),
    causes: [...causes],
  }));
  const caused = [...told, ...(await figures.causes([...new Set(told.flatMap(({ hashes }) => hashes))]))];
  const unknown = new Set(caused.flatMap(({ causes }) => causes.filter((id) => !isInLog.has(id))));
  const missing = await figures.missing([...unknown]);
  return caused.map(({ hashes, causes }) => ({ hashes, causes: causes.filter((id) => missing.has(id)) }));
}
