import type { Profile, Touch } from '#schemas/generated/records.ts';
import type { SensitiveTraits } from '#shared/definitions/sensitive-traits.ts';
import { exactly } from '#shared/json/exact-json.ts';

/** What others are told of a profile, as JSON has it: by the read API, and by webhooks of the feed. */

/** Of a profile, what answers are made from: all but what one version says of itself. */
export type Told = Omit<
  Profile,
  'changed' | 'causes' | 'why' | 'gone' | 'into' | 'definitions' | 'generation' | 'edition'
>;

/** What may be told of traits. */
export interface Rights {
  /** Whether what is sensitive is told, too. */
  readonly sensitive: boolean;
  /** By the definitions in force: computed traits and traits of groups carry no sensitivity of their own. */
  readonly sensitiveTraits: SensitiveTraits;
}

export function isoTime(milliseconds: number): string;
export function isoTime(milliseconds: number | null): string | null;
export function isoTime(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}

export const named = <T>(
  list: readonly T[],
  name: (one: T) => string,
  value: (one: T) => unknown,
): Record<string, unknown> => Object.fromEntries(list.map((one) => [name(one), value(one)]));

/** Some of what there is, and of how much else nothing is told. */
interface Allowed<T> {
  readonly allowed: readonly T[];
  readonly withheld: number;
}

function allowedOf<T>(all: readonly T[], isAllowed: (one: T) => boolean): Allowed<T> {
  const allowed = all.filter(isAllowed);
  return { allowed, withheld: all.length - allowed.length };
}

/** Those that were not sensitive when the profile was written, and are not by now. */
export const allowedTraits = ({ traits }: Told, { sensitive, sensitiveTraits }: Rights) =>
  allowedOf(
    traits,
    ({ name, sensitivity }) =>
      sensitive || ((sensitivity === 'none' || sensitivity === 'personal') && sensitiveTraits.get(name) !== true),
  );

/** One that is not defined any more, or not known yet, may be sensitive. */
export const mayKnowComputed = (name: string, { sensitive, sensitiveTraits }: Rights): boolean =>
  sensitive || sensitiveTraits.get(name) === false;

export const allowedComputed = ({ computed }: Told, rights: Rights) =>
  allowedOf(computed, ({ name }) => mayKnowComputed(name, rights));

/** To be told where it is not nothing. */
export const withheldIn = (withheld: number): { readonly withheld?: number } => (withheld > 0 ? { withheld } : {});

export const valuesOf = (traits: readonly { readonly name: string; readonly value: string }[]) =>
  named(
    traits,
    ({ name }) => name,
    ({ value }) => exactly(value),
  );

export const consentsIn = ({ consents }: Told) =>
  consents.map(({ time, ...consent }) => ({ ...consent, time: isoTime(time) }));

function groupsIn({ groups }: Told, { sensitive, sensitiveTraits }: Rights) {
  const told = groups.map(({ traits, timestamp, ...group }) => {
    const said = Object.entries((exactly(traits) ?? {}) as object);
    const { allowed, withheld } = allowedOf(said, ([name]) => sensitive || sensitiveTraits.get(name) !== true);
    return { withheld, group: { ...group, traits: Object.fromEntries(allowed), timestamp: isoTime(timestamp) } };
  });
  return {
    groups: told.map(({ group }) => group),
    withheld: told.reduce((sum, { withheld }) => sum + withheld, 0),
  };
}

const sessionsIn = (profile: Told) => ({
  count: profile.session_count,
  total_ms: profile.session_ms,
  first_at: isoTime(profile.first_session_at),
  last_at: isoTime(profile.last_session_at),
  last_until: isoTime(profile.last_session_until),
  last_events: profile.last_session_events,
});

const touchIn = (touch: Touch | null) => touch && { ...touch, timestamp: isoTime(touch.timestamp) };

/** The whole profile, with the numbers in it as they came. */
export function profileShape(profile: Told, rights: Rights) {
  const traits = allowedTraits(profile, rights);
  const computed = allowedComputed(profile, rights);
  const groups = groupsIn(profile, rights);
  return {
    profile_id: profile.profile_id,
    kind: profile.kind,
    version: profile.version,
    identifiers: profile.identifiers.map(({ type, value }) => ({ type, value })),
    traits: valuesOf(traits.allowed),
    ...withheldIn(traits.withheld + computed.withheld + groups.withheld),
    computed: valuesOf(computed.allowed),
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
    order_count: profile.order_count,
    products: profile.products,
    first_touch: touchIn(profile.first_touch),
    last_touch: touchIn(profile.last_touch),
    sessions: sessionsIn(profile),
    groups: groups.groups,
    interactions: profile.interactions.map(({ timestamp, ...one }) => ({ ...one, timestamp: isoTime(timestamp) })),
    sources: profile.sources,
    first_seen: isoTime(profile.first_seen),
    last_seen: isoTime(profile.last_seen),
    updated_at: isoTime(profile.updated_at),
    flags: profile.flags,
  };
}
