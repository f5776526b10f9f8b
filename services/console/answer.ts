import type { Hashing } from '#shared/identity/hashing.ts';
import type { NamingRules } from '#shared/identity/plan.ts';
import { profileShape, type Rights, type Told } from '#shared/profiles/profile-shape.ts';
import type { IdentityWarehouse } from './adapters/identity-warehouse.ts';
import type { ProfileView } from './adapters/profile-view.ts';
import type { Warehouse } from './adapters/warehouse.ts';
import { assertUsable, identifiersAskedFor } from './core/asked-for.ts';
import { cursorOf } from './core/cursor.ts';
import { referenceIn } from './core/parameters.ts';
import { Problem } from './core/problem.ts';
import type { ProfileQuestion } from './core/question.ts';
import type { Reference } from './core/reference.ts';
import {
  audiencesShape,
  computedShape,
  consentsShape,
  identifiersShape,
  noCustomer,
  traitsShape,
} from './core/shapes.ts';

/** What answers are made from. */
export interface Sources {
  readonly hashing: Hashing;
  /** The identity rules in force; undefined as long as they are not known. */
  readonly rules: () => NamingRules | undefined;
  /** Computed traits that are being filled, and how far each is. */
  readonly filling: () => ReadonlyMap<string, number>;
  readonly view: Pick<ProfileView, 'answers' | 'byHash' | 'byId' | 'mappingVersion'>;
  readonly warehouse: Warehouse;
  readonly identity: Pick<IdentityWarehouse, 'assigned' | 'anchor'>;
}

/** Answers a question about a profile, as far as whoever asks may know. @throws Problem */
export async function answerTo(question: ProfileQuestion, rights: Rights, sources: Sources): Promise<unknown> {
  const { view, warehouse } = sources;
  const rules = sources.rules();
  if (!view.answers || !rules)
    throw new Problem(503, 'not_ready', 'profiles are still being read; try again in a moment');
  switch (question.part) {
    case 'profile':
      return profileShape(await findOf(question), rights);
    case 'traits':
      return traitsShape(await findOf(question), rights);
    case 'computed':
      return computedShape(await findOf(question), rights, question.at === undefined ? sources.filling() : undefined);
    case 'consents':
      return consentsShape(await findOf(question));
    case 'identifiers':
      return identifiersShape(await find(question.reference, rules, sources), (hash) => view.mappingVersion(hash));
    case 'batch':
      return { profiles: await Promise.all(question.profiles.map(one)) };
    case 'audiences': {
      const profile = await ifKnown(find(question.reference, rules, sources));
      return profile ? audiencesShape(profile, question.subset) : noCustomer;
    }
    case 'events': {
      const profile = await find(question.reference, rules, sources);
      const { rows, end } = await warehouse.events(hashesOf(profile), question.page);
      return { profile_id: profile.profile_id, events: rows, next: end ? cursorOf(end) : null };
    }
    case 'history': {
      const profile = await find(question.reference, rules, sources);
      const [versions, identity] = await Promise.all([
        warehouse.versions(profile.profile_id, question.page),
        warehouse.identityChanges(hashesOf(profile), question.page),
      ]);
      const isLast = versions.end === undefined && identity.end === undefined;
      return {
        profile_id: profile.profile_id,
        versions: versions.rows,
        identity: identity.rows,
        next: isLast ? null : cursorOf([versions.end ?? 0, identity.end ?? null]),
      };
    }
  }

  function findOf({ reference, at }: { readonly reference: Reference; readonly at: number | undefined }) {
    const known = rules as NamingRules;
    return at === undefined ? find(reference, known, sources) : findAt(reference, at, known, sources);
  }

  async function one(text: string): Promise<unknown> {
    try {
      return profileShape(await find(referenceIn(text, 'a profile'), rules as NamingRules, sources), rights);
    } catch (error) {
      if (error instanceof Problem) return error.body;
      throw error;
    }
  }
}

async function find(reference: Reference, rules: NamingRules, { hashing, view }: Sources): Promise<Told> {
  if (reference.by === 'profile_id') return orRefuse(await view.byId(reference.profileId));
  for (const { hash } of identifiersAskedFor(reference, rules, hashing)) {
    const profile = await view.byHash(hash);
    if (profile) return profile;
  }
  assertUsable(reference, rules);
  throw notFound();
}

/** Between a decision and the profiles that follow it an identifier is found where its profile has gone. */
const MOST_HOPS = 4;

/**
 * The profile as ClickHouse had it then: the one that the identifier was decided to be in, its default one, or where these had gone;
 * never one that did not hold it. A profile that was gone by then is the one that held what it was made around.
 */
async function findAt(reference: Reference, at: number, rules: NamingRules, sources: Sources): Promise<Told> {
  const { hashing, warehouse, identity } = sources;
  const byHash = async (hash: string): Promise<Told | undefined> => {
    const home = hashing.profileIdOf(hash);
    const [assigned] = await identity.assigned([hash], at);
    let ids: readonly string[] = [...new Set([assigned?.profile ?? home, home])];
    for (let hops = 0; ids.length > 0 && hops < MOST_HOPS; hops++) {
      const { living, successors } = await warehouse.profilesAt(ids, at);
      const holders = living.filter((profile) => profile.identifiers.some((one) => one.hash === hash));
      const likeliest = ids.find((id) => holders.some((profile) => profile.profile_id === id));
      if (likeliest) return holders.find((profile) => profile.profile_id === likeliest);
      ids = successors;
    }
    return undefined;
  };
  if (reference.by === 'profile_id') {
    const [living] = (await warehouse.profilesAt([reference.profileId], at)).living;
    const anchor = living ? undefined : await identity.anchor(reference.profileId);
    return orRefuse(living ?? (anchor === undefined ? undefined : await byHash(anchor)), 'then');
  }
  for (const { hash } of identifiersAskedFor(reference, rules, hashing)) {
    const profile = await byHash(hash);
    if (profile) return profile;
  }
  assertUsable(reference, rules);
  throw notFound('then');
}

const hashesOf = (profile: Told): string[] => profile.identifiers.map(({ hash }) => hash);

const notFound = (when: 'now' | 'then' = 'now'): Problem =>
  new Problem(404, 'profile_not_found', when === 'now' ? 'there is no such profile' : 'there was no such profile then');

function orRefuse(profile: Told | undefined, when: 'now' | 'then' = 'now'): Told {
  if (!profile) throw notFound(when);
  return profile;
}

/** Undefined where nobody is known by it, or where it can be no identifier. */
async function ifKnown(found: Promise<Told>): Promise<Told | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Problem && (error.status === 404 || error.status === 400)) return undefined;
    throw error;
  }
}
