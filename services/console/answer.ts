import type { Profile } from '#schemas/generated/records.ts';
import type { Hashing } from '#shared/identity/hashing.ts';
import type { NamingRules } from '#shared/identity/plan.ts';
import type { ProfileView } from './adapters/profile-view.ts';
import type { Warehouse } from './adapters/warehouse.ts';
import { assertUsable, identifiersAskedFor } from './core/asked-for.ts';
import { cursorOf } from './core/cursor.ts';
import { Problem } from './core/problem.ts';
import type { Reference } from './core/reference.ts';
import type { ProfileQuestion } from './core/route.ts';
import { identifiersShape, profileShape, traitsShape } from './core/shapes.ts';

/** What answers are made from. */
export interface Sources {
  readonly hashing: Hashing;
  /** The identity rules in force; undefined as long as they are not known. */
  readonly rules: () => NamingRules | undefined;
  readonly view: Pick<ProfileView, 'answers' | 'byHash' | 'byId' | 'mappingVersion'>;
  readonly warehouse: Warehouse;
}

/** Answers a question about a profile. @throws Problem */
export async function answerTo(
  question: ProfileQuestion,
  { hashing, rules, view, warehouse }: Sources,
): Promise<unknown> {
  const inForce = rules();
  if (!view.answers || !inForce)
    throw new Problem(503, 'not_ready', 'profiles are still being read; try again in a moment');
  const profile = await find(question.reference, inForce);
  const hashes = hashesOf(profile);
  switch (question.part) {
    case 'profile':
      return profileShape(profile);
    case 'traits':
      return traitsShape(profile);
    case 'identifiers':
      return identifiersShape(profile, (hash) => view.mappingVersion(hash));
    case 'events': {
      const { rows, end } = await warehouse.events(hashes, question.page);
      return { profile_id: profile.profile_id, events: rows, next: end ? cursorOf(end) : null };
    }
    case 'history': {
      const [versions, identity] = await Promise.all([
        warehouse.versions(profile.profile_id, question.page),
        warehouse.identityChanges(hashes, question.page),
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

  async function find(reference: Reference, known: NamingRules): Promise<Profile> {
    if (reference.by === 'profile_id') return orRefuse(await view.byId(reference.profileId));
    for (const { hash } of identifiersAskedFor(reference, known, hashing)) {
      const profile = await view.byHash(hash);
      if (profile) return profile;
    }
    assertUsable(reference, known);
    throw notFound();
  }
}

const hashesOf = (profile: Profile): string[] => profile.identifiers.map(({ hash }) => hash);

const notFound = (): Problem => new Problem(404, 'profile_not_found', 'there is no such profile');

function orRefuse(profile: Profile | undefined): Profile {
  if (!profile) throw notFound();
  return profile;
}
