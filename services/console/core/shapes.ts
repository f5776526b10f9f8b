import {
  allowedComputed,
  allowedTraits,
  consentsIn,
  isoTime,
  mayKnowComputed,
  named,
  type Rights,
  type Told,
  valuesOf,
  withheldIn,
} from '#shared/profiles/profile-shape.ts';

/** Parts of what the read API says, as they stand in its answers; `answers.ts` describes them. */

/** The traits, and where each came from; of objects also the parts that came from elsewhere, by JSON Pointer. */
export function traitsShape(profile: Told, rights: Rights) {
  const { allowed, withheld } = allowedTraits(profile, rights);
  const names = new Set(allowed.map(({ name }) => name));
  return {
    profile_id: profile.profile_id,
    version: profile.version,
    traits: valuesOf(allowed),
    ...withheldIn(withheld),
    origins: named(
      allowed,
      ({ name }) => name,
      ({ source, message_id, timestamp, sensitivity }) => ({
        source,
        message_id,
        timestamp: isoTime(timestamp),
        sensitivity,
      }),
    ),
    part_origins: named(
      profile.trait_origins.filter(({ path }) => names.has(traitAt(path))),
      ({ path }) => path,
      ({ source, message_id, timestamp }) => ({ source, message_id, timestamp: isoTime(timestamp) }),
    ),
  };
}

/** The trait that a JSON Pointer leads into. */
const traitAt = (path: string): string => (path.split('/')[1] ?? '').replaceAll('~1', '/').replaceAll('~0', '~');

/**
 * Computed traits, and the version of the definition that each follows.
 * @param filling those that are not told of anybody yet, as they are defined now, and how far each is; undefined in the past
 */
export function computedShape(profile: Told, rights: Rights, filling?: ReadonlyMap<string, number>) {
  const { allowed, withheld } = allowedComputed(profile, rights);
  return {
    profile_id: profile.profile_id,
    version: profile.version,
    computed: valuesOf(allowed),
    ...withheldIn(withheld),
    origins: named(
      allowed,
      ({ name }) => name,
      ({ definition_version }) => ({ definition_version }),
    ),
    ...(filling && { filling: Object.fromEntries([...filling].filter(([name]) => mayKnowComputed(name, rights))) }),
  };
}

export const consentsShape = (profile: Told) => ({
  profile_id: profile.profile_id,
  version: profile.version,
  consents: consentsIn(profile),
});

/** Of the audiences that were asked for, those that the profile is in, as Optimizely's SDKs read them. */
export const audiencesShape = ({ audiences }: Told, subset: readonly string[]) => ({
  data: {
    customer: {
      audiences: {
        edges: audiences
          .filter(({ audience }) => subset.includes(audience))
          .map(({ audience }) => ({ node: { name: audience, state: 'qualified' } })),
      },
    },
  },
});

/** Their SDKs know nobody by these: one reads the one, one the other. */
const INVALID = { classification: 'InvalidIdentifierException', code: 'INVALID_IDENTIFIER_EXCEPTION' };

/** Nobody is known by that identifier. */
export const noCustomer = {
  errors: [{ message: 'nobody is known by this identifier', path: ['customer'], extensions: INVALID }],
  data: { customer: null },
};

/** @param mappingVersion the version of an identifier's mapping; 0 while it is in its default profile */
export const identifiersShape = (profile: Told, mappingVersion: (hash: string) => number) => ({
  profile_id: profile.profile_id,
  version: profile.version,
  identifiers: profile.identifiers.map(({ type, value, hash }) => ({
    type,
    value,
    hash,
    mapping_version: mappingVersion(hash),
  })),
});
