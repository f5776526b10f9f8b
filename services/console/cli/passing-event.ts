import type { PassingEvent } from '../core/passing.ts';

/** What to show; undefined: everything. */
export interface Wanted {
  readonly source?: string | undefined;
  /** Name of the event, page or screen. A rejected event has none that could be believed. */
  readonly event?: string | undefined;
  readonly rejected: boolean;
}

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
