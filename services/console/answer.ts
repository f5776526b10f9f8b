import type { Profile } from '#schemas/generated/records.ts';
import type { Hashing } from '#shared/identity/hashing.ts';
import { normalise } from '#shared/identity/identifiers.ts';
import type { ProfileView } from './adapters/profile-view.ts';
import type { Warehouse } from './adapters/warehouse.ts';
import { cursorOf } from './core/cursor.ts';
import { Problem } from './core/problem.ts';
import type { Reference } from './core/reference.ts';
import type { ProfileQuestion } from './core/route.ts';
import { identifiersShape, profileShape, traitsShape } from './core/shapes.ts';

/** What answers are made from. */
export interface Sources {
  readonly hashing: Hashing;
  readonly view: Pick<ProfileView, 'answers' | 'byHash' | 'byId' | 'mappingVersion'>;
  readonly warehouse: Warehouse;
}

/** Answers a question about a profile. @throws Problem */
export async function answerTo(question: ProfileQuestion, { hashing, view, warehouse }: Sources): Promise<unknown> {
  if (!view.answers) throw new Problem(503, 'not_ready', 'profiles are still being read; try again in a moment');
  const profile = await find(question.reference);
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

  async function find(reference: Reference): Promise<Profile> {
    if (reference.by === 'profile_id') return orRefuse(await view.byId(reference.profileId));
    const value = normalise(reference.type, reference.value);
    if (value === undefined) throw new Problem(400, 'invalid_identifier', `this is no usable ${reference.type}`);
    return orRefuse(await view.byHash(hashing.hash(reference.type, value)));
  }
}

const hashesOf = (profile: Profile): string[] => profile.identifiers.map(({ hash }) => hash);

function orRefuse(profile: Profile | undefined): Profile {
  if (!profile) throw new Problem(404, 'profile_not_found', 'there is no such profile');
  return profile;
}
