import type { Profile } from '#schemas/generated/records.ts';
import { exactly } from '#shared/json/exact-json.ts';

const isoTime = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : new Date(milliseconds).toISOString();

const named = <T>(list: readonly T[], name: (one: T) => string, value: (one: T) => unknown): Record<string, unknown> =>
  Object.fromEntries(list.map((one) => [name(one), value(one)]));

/** Whether traits may be told that are more than personal. */
export interface Rights {
  readonly sensitive: boolean;
}

/** The traits that may be told, and how many others there are. */
function traitsIn({ traits }: Profile, { sensitive }: Rights) {
  const told = traits.filter(({ sensitivity }) => sensitive || sensitivity === 'none' || sensitivity === 'personal');
  const withheld = traits.length - told.length;
  return {
    traits: named(
      told,
      ({ name }) => name,
      ({ value }) => exactly(value),
    ),
    ...(withheld > 0 ? { withheld } : {}),
  };
}

/** A profile as JSON has it, with the numbers in it as they came. */
export const profileShape = (profile: Profile, rights: Rights) => ({
  profile_id: profile.profile_id,
  kind: profile.kind,
  version: profile.version,
  identifiers: profile.identifiers.map(({ type, value }) => ({ type, value })),
  ...traitsIn(profile, rights),
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
