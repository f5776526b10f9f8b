import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventStitched } from '#schemas/generated/records.ts';
import { baseEvent, identifier, inAnyOrder } from './arbitrary.fixture.ts';
import { ofEvent } from './event.ts';
import { limits } from './limits.ts';
import { combine } from './profile.ts';
import { empty, merge } from './tributary.ts';

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
const one = identifier(0);
const fold = (events: readonly EventStitched[]) =>
  events.map((event) => ofEvent(event, one, '')).reduce(merge, empty(one));
const at = (timestamp: number): EventStitched => ({ ...baseEvent, type: 'page', anonymous_id: 'a', timestamp });

const sessionsOf = (...events: readonly EventStitched[]) => summary(combine([fold(events)]));
const summary = (content: ReturnType<typeof combine>) => ({
  count: content.session_count,
  ms: content.session_ms,
  first: content.first_session_at,
  last: content.last_session_at,
  until: content.last_session_until,
  events: content.last_session_events,
  isCut: content.flags.includes('sessions_cut'),
});

/** From the sorted times themselves. */
function counted(times: readonly number[]): ReturnType<typeof summary> {
  const days = [...new Set(times.map((time) => Math.floor(time / DAY)))].sort((a, b) => b - a);
  const kept = new Set(days.slice(0, limits.sessionDays));
  const sorted = times.filter((time) => kept.has(Math.floor(time / DAY))).sort((a, b) => a - b);
  const sessions: number[][] = [];
  for (const time of sorted) {
    const open = sessions.at(-1);
    if (open && time - (open.at(-1) as number) < 30 * MINUTE) open.push(time);
    else sessions.push([time]);
  }
  const last = sessions.at(-1);
  return {
    count: sessions.length,
    ms: sessions.reduce((sum, session) => sum + (session.at(-1) as number) - (session[0] as number), 0),
    first: sorted[0] ?? null,
    last: last?.[0] ?? null,
    until: last?.at(-1) ?? null,
    events: last?.length ?? 0,
    isCut: days.length > limits.sessionDays,
  };
}

describe('sessions', () => {
  const table: readonly (readonly [what: string, minutes: readonly number[], count: number, events: number])[] = [
    ['one event', [5], 1, 1],
    ['just less than 30 minutes apart', [5, 34.99], 1, 2],
    ['30 minutes apart', [5, 35], 2, 1],
    ['a late event joins two', [5, 50, 30], 1, 3],
    ['over midnight', [1_430, 1_445], 1, 2],
    ['before 1970', [-20, -5, 3], 1, 3],
  ];
  for (const [what, minutes, count, events] of table) {
    it(what, () => expect(sessionsOf(...minutes.map((one) => at(one * MINUTE)))).toMatchObject({ count, events }));
  }

  it('are what people do on devices', () => {
    const server = { ...at(0), anonymous_id: null };
    expect(sessionsOf(server, { ...at(0), type: 'identify' }, { ...at(0), type: 'group' })).toEqual(counted([]));
    expect(sessionsOf({ ...at(0), type: 'track' }, { ...at(1), type: 'screen' })).toEqual(counted([0, 1]));
  });

  it('are what the sorted times give, in any order and in any parts, also where days are cut', () => {
    // Visits that touch, over more days than are kept, many around midnight.
    const time = fc
      .tuple(fc.nat(limits.sessionDays * 2), fc.integer({ min: -3, max: 5 }), fc.constantFrom(0, 1, MINUTE - 1))
      .map(([day, tens, more]) => day * DAY + tens * 10 * MINUTE + more);
    const lists = fc.array(time, { maxLength: 200, size: 'max' });
    let cuts = 0;
    fc.assert(
      fc.property(inAnyOrder(lists), ([times, parts]) => {
        const whole = parts.map((part) => fold(part.map(at))).reduce(merge, empty(one));
        const expected = counted(times);
        if (expected.isCut) cuts++;
        expect(summary(combine([whole]))).toEqual(expected);
      }),
    );
    expect(cuts).toBeGreaterThan(10);
  });
});
