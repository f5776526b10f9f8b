import type { Profile } from '#schemas/generated/records.ts';
import type { Hashing } from '#shared/identity/hashing.ts';
import { spellingsAskedFor } from '#shared/identity/identifiers.ts';
import type { NamingRules } from '#shared/identity/plan.ts';
import type { ProfileView } from './adapters/profile-view.ts';
import type { Warehouse } from './adapters/warehouse.ts';
import { cursorOf } from './core/cursor.ts';
import { chainBetween } from './core/explain.ts';
import { Problem } from './core/problem.ts';
import type { Reference } from './core/reference.ts';
import type { Question } from './core/route.ts';
import { identifiersShape, profileShape, traitsShape } from './core/shapes.ts';

/** What answers are made from. */
export interface Sources {
  readonly hashing: Hashing;
  /** The identity rules in force; undefined as long as they are not known. */
  readonly rules: () => NamingRules | undefined;
  readonly view: Pick<ProfileView, 'answers' | 'byHash' | 'byId' | 'mappingVersion'>;
  readonly warehouse: Warehouse;
}

/** Answers a question of the read API. @throws Problem */
export async function answerTo(question: Question, { hashing, rules, view, warehouse }: Sources): Promise<unknown> {
  const inForce = rules();
  if (!view.answers || !inForce)
    throw new Problem(503, 'not_ready', 'profiles are still being read; try again in a moment');
  const found = await find(question.reference, inForce);
  const { profile } = found;
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
    case 'explain':
      return explain(found, await find(question.other, inForce));
  }

  async function find(
    reference: Reference,
    known: NamingRules,
  ): Promise<{ readonly profile: Profile; readonly hash: string | undefined }> {
    if (reference.by === 'profile_id') {
      const profile = orRefuse(await view.byId(reference.profileId));
      return { profile, hash: anchorOf(profile, reference.profileId) };
    }
    const { type, value } = reference;
    const spelled = spellingsAskedFor(type, value, known);
    for (const one of new Set([spelled.inForce, spelled.exact])) {
      if (one === undefined) continue;
      const hash = hashing.hash(type, one);
      const profile = await view.byHash(hash);
      if (profile) return { profile, hash };
    }
    if (spelled.inForce === undefined) throw new Problem(400, 'invalid_identifier', `this is no usable ${type}`);
    throw notFound();
  }

  /** The identifier whose default profile this id is: the reason why it leads to this profile. */
  function anchorOf({ identifiers }: Profile, profileId: string): string | undefined {
    return (identifiers.find(({ hash }) => hashing.profileIdOf(hash) === profileId) ?? identifiers[0])?.hash;
  }

  async function explain(
    one: Awaited<ReturnType<typeof find>>,
    other: Awaited<ReturnType<typeof find>>,
  ): Promise<unknown> {
    const ids = [one.profile.profile_id, other.profile.profile_id];
    if (ids[0] === ids[1]) {
      const links = await warehouse.links(hashes, hashes);
      const chain = one.hash && other.hash ? chainBetween(one.hash, other.hash, links) : undefined;
      return { same: true, profile_id: ids[0], chain: chain ?? null };
    }
    const others = hashesOf(other.profile);
    const names = [one, other].map(
      ({ profile }) => new Set(profile.identifiers.map(({ type, value }) => `${type}:${value}`)),
    );
    const [links, refusals] = await Promise.all([
      warehouse.links(hashes, others),
      warehouse.refusals([...hashes, ...others]),
    ]);
    return {
      same: false,
      profile_ids: ids,
      refused: refusals.filter(({ identifier, other: end }) =>
        names.some((here, i) => here.has(identifier) && names[1 - i]?.has(end)),
      ),
      observed: links.map(({ one: a, other: b, ...claim }) => ({
        from: `${a.type}:${a.value}`,
        to: `${b.type}:${b.value}`,
        ...claim,
      })),
    };
  }
}

const hashesOf = (profile: Profile): string[] => profile.identifiers.map(({ hash }) => hash);

const notFound = (): Problem => new Problem(404, 'profile_not_found', 'there is no such profile');

function orRefuse(profile: Profile | undefined): Profile {
  if (!profile) throw notFound();
  return profile;
}
