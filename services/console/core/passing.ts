import type {
  EventCollected,
  EventRejected,
  EventStitched,
  IdentityChange,
  Profile,
} from '#schemas/generated/records.ts';
import { maskedValue } from './masking.ts';

/** What happens at this moment, for whoever watches. Without what it says of people: ids, names of fields, and masked identifiers. */
export type Passing = PassingEvent | PassingProfile | PassingIdentity;

/** Something that happened to an event. */
export interface PassingEvent {
  /** When it was received, ISO 8601. */
  readonly received_at: string;
  readonly what: 'accepted' | 'stitched' | 'rejected';
  readonly source: string | null;
  readonly type: string | null;
  readonly event: string | null;
  readonly message_id: string | null;
  /** Of the profile, once it is stitched. */
  readonly profile_id: string | null;
  /** Why it was rejected, and by which stage. */
  readonly stage: string | null;
  readonly reason: string | null;
  readonly message: string | null;
}

/** A new version of a profile. */
export interface PassingProfile {
  readonly what: 'profile';
  /** Received time of its latest cause, ISO 8601. */
  readonly updated_at: string;
  readonly profile_id: string;
  readonly version: number;
  /** How many identifiers and events it has. */
  readonly identifiers: number;
  readonly events: number;
  /** Fields that differ from the version before. */
  readonly changed: readonly string[];
  /** event, regroup, … */
  readonly why: readonly string[];
  /** Message ids that led to it; not all, where there are many. */
  readonly causes: readonly string[];
  readonly gone: boolean;
  /** When it is gone: the profile that took the last of its identifiers. */
  readonly into: string | null;
}

/** What was decided about an identifier. */
export interface PassingIdentity {
  readonly what: 'moved' | 'refused' | 'quarantined' | 'released';
  /** Received time of the deciding claim, ISO 8601. */
  readonly decided_at: string;
  /** Moved: the profile that is left. */
  readonly profile_id: string;
  readonly to_profile_id: string | null;
  /** `type:value`, masked. */
  readonly identifier: string;
  /** The other end of the link that decided it, masked. */
  readonly other: string | null;
  readonly reason: string;
}

const none = { profile_id: null, stage: null, reason: null, message: null };
const isoOf = (time: number): string => new Date(time).toISOString();

export const accepted = ({ received_at, source, type, event, message_id }: EventCollected): PassingEvent => ({
  ...none,
  received_at: isoOf(received_at),
  what: 'accepted',
  source,
  type,
  event: event ?? null,
  message_id,
});

export const stitched = (value: EventStitched): PassingEvent => ({
  ...accepted(value),
  what: 'stitched',
  profile_id: value.profile_id,
});

export const rejected = ({ received_at, source, message_id, stage, reason, message }: EventRejected): PassingEvent => ({
  ...none,
  received_at: isoOf(received_at),
  what: 'rejected',
  source: source ?? null,
  type: null,
  event: null,
  message_id: message_id ?? null,
  stage,
  reason,
  message,
});

export const changedProfile = (profile: Profile): PassingProfile => ({
  what: 'profile',
  updated_at: isoOf(profile.updated_at),
  profile_id: profile.profile_id,
  version: profile.version,
  identifiers: profile.identifiers.length,
  events: profile.events,
  changed: profile.changed,
  why: profile.why,
  causes: profile.causes,
  gone: profile.gone,
  into: profile.into,
});

const DECISIONS: readonly string[] = [
  'moved',
  'refused',
  'quarantined',
  'released',
] satisfies PassingIdentity['what'][];

/** Undefined for an identifier that is seen for the first time: nothing was decided. */
export function decided(change: IdentityChange): PassingIdentity | undefined {
  const { kind, profile_id, to_profile_id, identifier, other, reason, decided_at } = change;
  if (!DECISIONS.includes(kind)) return undefined;
  const named = ({ type, value }: { readonly type: string; readonly value: string }): string =>
    `${type}:${maskedValue(type, value)}`;
  return {
    what: kind as PassingIdentity['what'],
    decided_at: isoOf(decided_at),
    profile_id,
    to_profile_id,
    identifier: named(identifier),
    other: other && named(other),
    reason,
  };
}
