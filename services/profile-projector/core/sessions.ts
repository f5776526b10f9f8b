import type { Profile, TributarySession } from '#schemas/generated/records.ts';
import { limits } from './limits.ts';
import type { ReadEvent } from './read-event.ts';
import { none } from './sorted.ts';

/*
 * A session is a longest run of events of a person's devices with less than 30 minutes from one to the next: a function of the set of
 * their times. A late event may close the gap between two sessions and make them one, so no number of sessions can be kept without their
 * times, nor can the oldest be dropped one by one: which those are would depend on what came before what. What is kept are the sessions
 * within each day, from midnight to midnight UTC, of the newest days that have any. Days do not touch each other, and a day
 * that is not among the newest never will be again. Those that midnight cut in two are joined when a profile is made.
 */

const IDLE_MS = 30 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

const dayOf = (time: number): number => Math.floor(time / DAY_MS);

/** What people do on devices; what servers say of them is no visit. */
export const sessionOf = ({ type, anonymous_id, timestamp }: ReadEvent): readonly TributarySession[] =>
  anonymous_id !== null && (type === 'page' || type === 'screen' || type === 'track')
    ? [{ from: timestamp, to: timestamp, events: 1 }]
    : none;

/** The sessions of both, by day, sorted. Gives back the one where the other has none. */
export function unionSessions(
  a: readonly TributarySession[],
  b: readonly TributarySession[],
): readonly TributarySession[] {
  if (b.length === 0) return a;
  if (a.length === 0) return b;
  const last = a.at(-1) as TributarySession;
  const [next] = b;
  // One more event of the visit that is on, as it nearly always is.
  if (next && b.length === 1 && next.from >= last.from && isOneByDay(last, next))
    return a.with(-1, { from: last.from, to: Math.max(last.to, next.to), events: last.events + next.events });
  return joined(inOrder(a, b), isOneByDay);
}

const isOneByDay = (one: TributarySession, next: TributarySession): boolean =>
  next.from - one.to < IDLE_MS && dayOf(next.from) === dayOf(one.from);

/** Both, by their beginnings. */
function inOrder(a: readonly TributarySession[], b: readonly TributarySession[]): TributarySession[] {
  const result: TributarySession[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const x = a[i] as TributarySession;
    const y = b[j] as TributarySession;
    if (x.from <= y.from) {
      result.push(x);
      i++;
    } else {
      result.push(y);
      j++;
    }
  }
  while (i < a.length) result.push(a[i++] as TributarySession);
  while (j < b.length) result.push(b[j++] as TributarySession);
  return result;
}

function joined(
  sorted: readonly TributarySession[],
  isOne: (one: TributarySession, next: TributarySession) => boolean,
): TributarySession[] {
  const result: TributarySession[] = [];
  let open: TributarySession | undefined;
  for (const next of sorted) {
    if (open && isOne(open, next)) {
      open = { from: open.from, to: Math.max(open.to, next.to), events: open.events + next.events };
    } else {
      if (open) result.push(open);
      open = next;
    }
  }
  if (open) result.push(open);
  return result;
}

/** Those of the newest days. */
export function cutSessions(sessions: readonly TributarySession[]): readonly TributarySession[] {
  if (sessions.length <= limits.sessionDays) return sessions;
  let days = 0;
  let day = Number.NaN;
  for (let i = sessions.length - 1; i >= 0; i--) {
    const other = dayOf((sessions[i] as TributarySession).from);
    if (other === day) continue;
    if (days === limits.sessionDays) return sessions.slice(i + 1);
    days++;
    day = other;
  }
  return sessions;
}

type Summary = Pick<
  Profile,
  'session_count' | 'session_ms' | 'first_session_at' | 'last_session_at' | 'last_session_until' | 'last_session_events'
>;

export const noSessions: Summary = Object.freeze({
  session_count: 0,
  session_ms: 0,
  first_session_at: null,
  last_session_at: null,
  last_session_until: null,
  last_session_events: 0,
});

export function summaryOf(byDay: readonly TributarySession[]): Summary {
  const sessions = byDay.length < 2 ? byDay : joined(byDay, (one, next) => next.from - one.to < IDLE_MS);
  const [first] = sessions;
  const last = sessions.at(-1);
  if (!first || !last) return noSessions;
  return {
    session_count: sessions.length,
    session_ms: sessions.reduce((sum, { from, to }) => sum + (to - from), 0),
    first_session_at: first.from,
    last_session_at: last.from,
    last_session_until: last.to,
    last_session_events: last.events,
  };
}
