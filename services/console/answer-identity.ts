import type { Hashing } from '#shared/identity/hashing.ts';
import type { NamingRules } from '#shared/identity/plan.ts';
import { type Assigned, type IdentityWarehouse, MOST_LINKS, TABLES } from './adapters/identity-warehouse.ts';
import type { ProfileView } from './adapters/profile-view.ts';
import { assertUsable, identifiersAskedFor } from './core/asked-for.ts';
import { type Knowledge, type Link, nameOf, pairsOf, stepOf, wayBetween } from './core/explain.ts';
import { localStateOf, topicsOf } from './core/places.ts';
import { Problem } from './core/problem.ts';
import type { IdentityQuestion } from './core/question.ts';
import type { Reference } from './core/reference.ts';

/** What answers about identities are made from. */
export interface IdentitySources {
  readonly hashing: Hashing;
  /** The identity rules in force; undefined as long as they are not known. */
  readonly rules: () => NamingRules | undefined;
  readonly view: Pick<ProfileView, 'byId'>;
  readonly identity: IdentityWarehouse;
  readonly prefix: string;
  readonly generation: number;
}

/** Between two profiles so many others are gone through in search of a way. */
const MOST_ROUNDS = 6;
const MOST_IDENTIFIERS = 5_000;

/** Answers what is asked about identities, from what ClickHouse has read: claims and decisions. @throws Problem */
export async function answerAboutIdentity(question: IdentityQuestion, sources: IdentitySources): Promise<unknown> {
  const { identity } = sources;
  switch (question.part) {
    case 'health':
      return healthOf(await identity.health());
    case 'explain': {
      const [one, other] = await Promise.all([find(question.reference, sources), find(question.other, sources)]);
      return explain(one, other, sources);
    }
    case 'graph':
      return graph(await find(question.reference, sources), sources);
    case 'as-of':
      return asOf(await find(question.reference, sources), question.time, sources);
    case 'where':
      return where(await find(question.reference, sources), sources);
  }
}

async function find(reference: Reference, { hashing, rules, identity }: IdentitySources): Promise<Assigned> {
  const known = rules();
  if (!known) throw new Problem(503, 'not_ready', 'the identity rules are not known yet; try again in a moment');
  const hashes = await hashesOf(known);
  const assigned = await identity.assigned(hashes);
  const found = hashes.map((hash) => assigned.find((one) => one.hash === hash)).find((one) => one !== undefined);
  if (!found) {
    if (reference.by === 'identifier') assertUsable(reference, known);
    throw new Problem(404, 'identifier_not_found', `nothing is known of ${writtenOf(reference)}`);
  }
  return found;

  async function hashesOf(inForce: NamingRules): Promise<string[]> {
    if (reference.by === 'identifier') return identifiersAskedFor(reference, inForce, hashing).map(({ hash }) => hash);
    const anchor = await identity.anchor(reference.profileId);
    return anchor === undefined ? [] : [anchor];
  }
}

/** Values are personal: a message names only types. */
const writtenOf = (reference: Reference): string =>
  reference.by === 'profile_id' ? `profile_id:${reference.profileId}` : `this ${reference.type}`;

/** The links among some profiles and to their neighbours, and what is known of either end. */
class Surroundings {
  readonly assigned = new Map<string, Assigned>();
  readonly links = new Map<string, Link>();
  readonly apart = new Map<string, Link>();
  /** Whether all was looked at that there is. */
  complete = true;
  readonly #sources: IdentitySources;
  readonly #loaded = new Set<string>();
  readonly #refusals = new Map<string, string>();

  constructor(sources: IdentitySources) {
    this.#sources = sources;
  }

  readonly knowledge: Knowledge = {
    profile: (hash) => this.assigned.get(hash)?.profile,
    refusal: (one, other) => this.#refusals.get(`${one}/${other}`) ?? this.#refusals.get(`${other}/${one}`),
    rules: (hash) => {
      const known = this.assigned.get(hash);
      // In its default profile nothing was decided.
      return known && known.version > 0 ? known.rules : null;
    },
  };

  /** Profiles that the known links lead to, and that were not looked at. */
  get frontier(): string[] {
    const profiles = new Set([...this.assigned.values()].map(({ profile }) => profile));
    return [...profiles].filter((profile) => !this.#loaded.has(profile));
  }

  membersOf(profile: string): Assigned[] {
    return [...this.assigned.values()].filter((one) => one.profile === profile);
  }

  async load(profiles: readonly string[]): Promise<void> {
    const { identity } = this.#sources;
    const members = await identity.members(profiles);
    for (const profile of profiles) this.#loaded.add(profile);
    for (const member of members) this.assigned.set(member.hash, member);
    const links = await identity.links(members.map(({ hash }) => hash));
    if (links.length === MOST_LINKS) this.complete = false;
    const strangers = new Set<string>();
    for (const link of links) {
      (link.kind === 'cannot_link' ? this.apart : this.links).set(link.claim_id, link);
      for (const { hash } of [link.one, link.other]) if (!this.assigned.has(hash)) strangers.add(hash);
    }
    for (const one of await identity.assigned([...strangers])) this.assigned.set(one.hash, one);
  }

  /** Learns why links between these are refused. */
  async learnRefusals(hashes: readonly string[]): Promise<void> {
    const { identity, hashing } = this.#sources;
    const [refusals, blocked] = await Promise.all([identity.refusals(hashes), identity.blocked(hashes)]);
    for (const {
      links: [{ one, other }],
    } of pairsOf([...this.links.values()], this.knowledge))
      if (blocked.has(one.hash) || blocked.has(other.hash)) this.#refusals.set(`${one.hash}/${other.hash}`, 'blocked');
    for (const { hash, other_type, other, reason } of refusals)
      this.#refusals.set(`${hash}/${hashing.hash(other_type, other)}`, reason);
  }
}

async function explain(one: Assigned, other: Assigned, sources: IdentitySources): Promise<unknown> {
  const around = new Surroundings(sources);
  const profiles = [...new Set([one.profile, other.profile])];
  await around.load(profiles);
  const way = () => wayBetween(one.hash, other.hash, [...around.links.values()], around.knowledge);
  if (profiles.length === 1) return { same: true, profile_id: one.profile, chain: way() ?? null };
  let chain = way();
  for (let round = 0; !chain && around.frontier.length > 0; round++) {
    if (round === MOST_ROUNDS || around.assigned.size > MOST_IDENTIFIERS) {
      around.complete = false;
      break;
    }
    await around.load(around.frontier);
    chain = way();
  }
  await around.learnRefusals([...around.assigned.keys()]);
  chain = way();
  const [here, there] = profiles;
  const isBetween = ({ one: a, other: b }: Link): boolean => {
    const ends = [a, b].map(({ hash }) => around.knowledge.profile(hash));
    return ends.includes(here) && ends.includes(there);
  };
  return {
    same: false,
    profile_ids: profiles,
    chain: chain ?? null,
    refused: chain?.filter(({ accepted }) => !accepted) ?? [],
    apart: [...around.apart.values()].filter(isBetween).map(apartShape),
    complete: around.complete,
  };
}

const apartShape = ({ one, other, claim_id, actor, reason, received_at }: Link) => ({
  from: nameOf(one),
  to: nameOf(other),
  claim_id,
  actor,
  reason,
  received_at,
});

async function graph({ profile }: Assigned, sources: IdentitySources): Promise<unknown> {
  const around = new Surroundings(sources);
  await around.load([profile]);
  const hashes = [...around.assigned.keys()];
  const [blocked] = await Promise.all([sources.identity.blocked(hashes), around.learnRefusals(hashes)]);
  const shape = (one: Assigned) => ({
    identifier: nameOf(one),
    hash: one.hash,
    profile_id: one.profile,
    first_seen: one.first_seen,
    since: one.since,
    mapping_version: one.version,
    reason: one.reason,
    rules: one.rules,
    blocked: blocked.has(one.hash),
  });
  return {
    profile_id: profile,
    identifiers: around.membersOf(profile).map(shape),
    neighbours: [...around.assigned.values()].filter((one) => one.profile !== profile).map(shape),
    links: pairsOf([...around.links.values()], around.knowledge).map((pair) => {
      const [{ one, other }] = pair.links;
      const inside = around.knowledge.profile(one.hash) === profile ? one : other;
      return stepOf(pair, inside.hash, around.knowledge);
    }),
    apart: [...around.apart.values()].map(apartShape),
    complete: around.complete,
  };
}

async function asOf(
  { hash, ...now }: Assigned,
  time: number,
  { hashing, identity }: IdentitySources,
): Promise<unknown> {
  const [then] = await identity.assigned([hash], time);
  const profile = then?.profile ?? hashing.profileIdOf(hash);
  const members = await identity.members([profile], time);
  return {
    time: new Date(time).toISOString(),
    identifier: nameOf(now),
    // By its default profile it is found even before it was first seen.
    known: members.some((member) => member.hash === hash),
    profile_id: profile,
    identifiers: members.map((member) => ({ identifier: nameOf(member), hash: member.hash, since: member.since })),
    profile_id_now: now.profile,
  };
}

async function where({ profile }: Assigned, { identity, view, prefix, generation }: IdentitySources): Promise<unknown> {
  const members = await identity.members([profile]);
  const hashes = members.map(({ hash }) => hash);
  const profiles = await identity.profiles(hashes);
  const ids = profiles.map((one) => one.profile);
  const [rows, deliveries, seen] = await Promise.all([
    identity.rowsOf(hashes, ids),
    identity.deliveries(ids),
    view.byId(profile),
  ]);
  return {
    profile_id: profile,
    former_profile_ids: ids.filter((id) => id !== profile),
    identifiers: members.map((member) => ({ identifier: nameOf(member), hash: member.hash })),
    topics: topicsOf(rows, deliveries, generation).map((one) => ({ ...one, topic: prefix + one.topic })),
    tables: [
      ...TABLES.map((table) => ({ table, rows: rows[table] as number | null })),
      // Nobody knows whose what was rejected is.
      { table: 'rejected_log', rows: null },
    ],
    destinations: deliveries.map(({ requests_week: _, dead_month: __, ...one }) => one),
    local_state: localStateOf(rows, seen !== undefined, generation),
  };
}

/** What the collector does not take as an identifier never becomes one: it stands in the event alone. */
const NOT_KNOWN = [
  'how often values were unusable or blocked by the rules: they stay in events and are not counted',
  'how many identifiers are shared with people who are not in claims any more, because these were withdrawn or erased',
] as const;

const BUCKETS = [1, 2, 3, 4, 5, 10, 20, 50, 100, 200] as const;

function healthOf({ sizes, lag, events, moved, ...rest }: Awaited<ReturnType<IdentityWarehouse['health']>>) {
  const bounds = BUCKETS.map((most, i) => ({ least: (BUCKETS[i - 1] ?? 0) + 1, most: most as number | null }));
  const histogram = [...bounds, { least: 201, most: null }].map(({ least, most }) => ({
    identifiers: most === least ? `${least}` : most === null ? `${least} and more` : `${least} to ${most}`,
    profiles: sizes
      .filter((one) => one.identifiers >= least && one.identifiers <= (most ?? Number.POSITIVE_INFINITY))
      .reduce((sum, one) => sum + one.profiles, 0),
  }));
  return {
    profiles: sizes.reduce((sum, one) => sum + one.profiles, 0),
    identifiers: sizes.reduce((sum, one) => sum + one.profiles * one.identifiers, 0),
    largest: sizes.at(-1)?.identifiers ?? 0,
    sizes: histogram,
    ...rest,
    linker_lag: lag,
    events,
    events_moved: moved,
    share_moved: events === 0 ? 0 : moved / events,
    not_known: NOT_KNOWN,
  };
}
