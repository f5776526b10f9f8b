import type { Profile } from '#schemas/generated/records.ts';
import { exactly } from '#shared/json/exact-json.ts';

/** What the read API says, as it stands in its answers; `answers.ts` describes it. */

/** Of a profile, what answers are made from. */
export type Told = Pick<
  Profile,
  | 'profile_id'
  | 'kind'
  | 'version'
  | 'identifiers'
  | 'traits'
  | 'computed'
  | 'audiences'
  | 'consents'
  | 'events'
  | 'event_counts'
  | 'revenue'
  | 'sources'
  | 'first_seen'
  | 'last_seen'
  | 'updated_at'
  | 'flags'
>;

/** Whether traits may be told that are more than personal. */
export interface Rights {
  readonly sensitive: boolean;
}

const isTold = (sensitivity: string, { sensitive }: Rights): boolean =>
  sensitive || sensitivity === 'none' || sensitivity === 'personal';

export const isoTime = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : new Date(milliseconds).toISOString();

const named = <T>(list: readonly T[], name: (one: T) => string, value: (one: T) => unknown): Record<string, unknown> =>
  Object.fromEntries(list.map((one) => [name(one), value(one)]));

const traitsIn = (traits: Profile['traits']): Record<string, unknown> =>
  named(
    traits,
    ({ name }) => name,
    ({ value }) => exactly(value),
  );

const computedIn = ({ computed }: Told): Record<string, unknown> =>
  named(
    computed,
    ({ name }) => name,
    ({ value }) => exactly(value),
  );

const consentsIn = ({ consents }: Told) =>
  consents.map(({ time, ...consent }) => ({ ...consent, time: isoTime(time) }));

/** The traits that may be told, and how many others there are. */
function told({ traits }: Told, rights: Rights) {
  const allowed = traits.filter(({ sensitivity }) => isTold(sensitivity, rights));
  const withheld = traits.length - allowed.length;
  return { allowed, withheld: withheld > 0 ? { withheld } : {} };
}

export const profileShape = (profile: Told, rights: Rights) => ({
  profile_id: profile.profile_id,
  kind: profile.kind,
  version: profile.version,
  identifiers: profile.identifiers.map(({ type, value }) => ({ type, value })),
  traits: traitsIn(told(profile, rights).allowed),
  ...told(profile, rights).withheld,
  computed: computedIn(profile),
  audiences: profile.audiences.map(({ audience, episode, since }) => ({ audience, episode, since: isoTime(since) })),
  consents: consentsIn(profile),
  events: profile.events,
  event_counts: named(
    profile.event_counts,
    ({ event }) => event,
    ({ count }) => count,
  ),
  revenue: named(
    profile.revenue,
    ({ currency }) => currency,
    ({ amount }) => amount,
  ),
  sources: profile.sources,
  first_seen: isoTime(profile.first_seen),
  last_seen: isoTime(profile.last_seen),
  updated_at: isoTime(profile.updated_at),
  flags: profile.flags,
});

/** The traits, and where each came from. */
export const traitsShape = (profile: Told, rights: Rights) => ({
  profile_id: profile.profile_id,
  version: profile.version,
  traits: traitsIn(told(profile, rights).allowed),
  ...told(profile, rights).withheld,
  origins: named(
    told(profile, rights).allowed,
    ({ name }) => name,
    ({ source, message_id, timestamp, sensitivity }) => ({
      source,
      message_id,
      timestamp: isoTime(timestamp),
      sensitivity,
    }),
  ),
});

/** Computed traits, and the version of the definition that each follows. */
export const computedShape = (profile: Told) => ({
  profile_id: profile.profile_id,
  version: profile.version,
  computed: computedIn(profile),
  origins: named(
    profile.computed,
    ({ name }) => name,
    ({ definition_version }) => ({ definition_version }),
  ),
});

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
