import type { EventCollected, EventRejected, EventStitched } from '#schemas/generated/records.ts';

/** Something that happened to an event, for whoever watches. Without what the event says of people. */
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

/** What to show; undefined: everything. */
export interface Wanted {
  readonly source?: string | undefined;
  /** Name of the event, page or screen. A rejected event has none that could be believed. */
  readonly event?: string | undefined;
  readonly rejected: boolean;
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

export const isWanted = ({ what, source, event }: PassingEvent, wanted: Wanted): boolean =>
  (!wanted.rejected || what === 'rejected') &&
  (wanted.source === undefined || wanted.source === source) &&
  (wanted.event === undefined || wanted.event === event);

/** One line. Senders choose names and ids: what would move a terminal's cursor is shown as a replacement character. */
export function lineOf(passing: PassingEvent): string {
  const { received_at, what, source, type, event, message_id, profile_id, stage, reason, message } = passing;
  const named = [type, event].filter(Boolean).join(' ');
  const parts = [
    received_at.slice(11, 23),
    what,
    source ?? '-',
    named || null,
    message_id ?? '-',
    profile_id && `profile ${profile_id}`,
    reason && `by ${stage}: ${reason} (${message})`,
  ];
  return parts
    .filter((part) => part !== null)
    .join('  ')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd');
}
