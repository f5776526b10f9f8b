import type { Profile } from '#schemas/generated/records.ts';
import { exactly } from '#shared/json/exact-json.ts';

/** What the read API says, as it stands in its answers. */

export const isoTime = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : new Date(milliseconds).toISOString();

const named = <T>(list: readonly T[], name: (one: T) => string, value: (one: T) => unknown): Record<string, unknown> =>
  Object.fromEntries(list.map((one) => [name(one), value(one)]));

const traitsIn = (profile: Profile): Record<string, unknown> =>
  named(
    profile.traits,
    ({ name }) => name,
    ({ value }) => exactly(value),
  );

export const profileShape = (profile: Profile) => ({
  profile_id: profile.profile_id,
  kind: profile.kind,
  version: profile.version,
  identifiers: profile.identifiers.map(({ type, value }) => ({ type, value })),
  traits: traitsIn(profile),
  computed: named(
    profile.computed,
    ({ name }) => name,
    ({ value }) => exactly(value),
  ),
  audiences: profile.audiences.map(({ audience, episode, since }) => ({ audience, episode, since: isoTime(since) })),
  consents: profile.consents.map(({ time, ...consent }) => ({ ...consent, time: isoTime(time) })),
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
export const traitsShape = (profile: Profile) => ({
  profile_id: profile.profile_id,
  version: profile.version,
  traits: traitsIn(profile),
  origins: named(
    profile.traits,
    ({ name }) => name,
    ({ source, message_id, timestamp, sensitivity }) => ({
      source,
      message_id,
      timestamp: isoTime(timestamp),
      sensitivity,
    }),
  ),
});

/** @param mappingVersion the version of an identifier's mapping; 0 while it is in its default profile */
export const identifiersShape = (profile: Profile, mappingVersion: (hash: string) => number) => ({
  profile_id: profile.profile_id,
  version: profile.version,
  identifiers: profile.identifiers.map(({ type, value, hash }) => ({
    type,
    value,
    hash,
    mapping_version: mappingVersion(hash),
  })),
});
