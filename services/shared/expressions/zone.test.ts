import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { momentOf } from './moment.ts';
import { dayOf, hourOf, isZone, startOfDay, weekdayOf } from './zone.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const zones = [
  'UTC',
  'Europe/Berlin',
  'America/St_Johns',
  'Asia/Kathmandu',
  'Pacific/Apia',
  'America/Sao_Paulo',
  'Africa/Casablanca',
  'Antarctica/Troll',
  'Australia/Lord_Howe',
  'America/Toronto',
];
const zone = fc.constantFrom(...zones);
const moment = fc.integer({ min: Date.UTC(1902, 0, 1), max: Date.UTC(2099, 0, 1) });

/** As Intl says it: the day that clocks show. */
function shown(zone: string, at: number): number {
  const parts = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' })
    .format(at)
    .split('-')
    .map(Number);
  const [year = 0, month = 0, day] = parts;
  return Date.UTC(year, month - 1, day) / 86_400_000;
}

describe('a day of a time zone', () => {
  test('is the one that clocks show, except where they were put back over midnight', () => {
    fc.assert(
      fc.property(zone, moment, (zone, at) => {
        const day = dayOf(zone, at);
        if (day === shown(zone, at)) return;
        expect(day).toBe(shown(zone, at) + 1);
        expect(at - startOfDay(zone, day)).toBeLessThan(3 * HOUR_MS);
      }),
      { numRuns: 5_000 },
    );
  });

  test('begins when clocks first show it, and has all moments until the next begins', () => {
    fc.assert(
      fc.property(zone, moment, (zone, at) => {
        const day = dayOf(zone, at);
        expect(startOfDay(zone, day)).toBeLessThanOrEqual(at);
        expect(startOfDay(zone, day + 1)).toBeGreaterThan(at);
        expect(dayOf(zone, startOfDay(zone, day))).toBe(day);
        expect(dayOf(zone, startOfDay(zone, day + 1) - 1)).toBe(day);
        expect(shown(zone, startOfDay(zone, day))).toBe(day);
        expect(shown(zone, startOfDay(zone, day) - 1)).toBeLessThan(day);
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ['Europe/Berlin', '2026-03-29', 23],
    ['Europe/Berlin', '2026-10-25', 25],
    ['America/Sao_Paulo', '2018-11-04', 23],
    ['Australia/Lord_Howe', '2026-04-05', 24.5],
    ['Asia/Kathmandu', '2026-04-05', 24],
    ['Asia/Kathmandu', '1986-01-01', 23.75],
    // There it was put back from a minute past midnight: the day begins with that minute.
    ['America/St_Johns', '2006-10-29', 25],
    ['America/Toronto', '1919-03-31', 23.5],
    ['Pacific/Apia', '2011-12-29', 24],
    ['Pacific/Apia', '2011-12-30', 0],
    ['Pacific/Apia', '2011-12-31', 24],
  ])('in %s %s has %d hours', (zone, date, hours) => {
    const day = Date.parse(`${date}T00:00:00Z`) / 86_400_000;
    expect((startOfDay(zone, day + 1) - startOfDay(zone, day)) / HOUR_MS).toBe(hours);
  });

  test('is never left for the one before', () => {
    const again = Date.UTC(2006, 9, 29, 2, 31);
    expect(shown('America/St_Johns', again - 1)).toBe(shown('America/St_Johns', again) + 1);
    expect(dayOf('America/St_Johns', again)).toBe(dayOf('America/St_Johns', again - 1));
  });

  test.each(['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'Asia/Calcutta', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])(
    'is of a zone that there is, such as %s',
    (name) => {
      expect(isZone(name)).toBe(true);
      expect(dayOf(name, 1.5 * DAY_MS)).toBe(1);
    },
  );

  test.each(['Europe/Atlantis', 'europe/berlin', 'Europe/BERLIN', 'utc', '+02:00', 'Berlin', ''])(
    'is of no zone named "%s"',
    (name) => {
      expect(isZone(name)).toBe(false);
    },
  );

  test('of a zone that there is not is told by nobody', () => {
    expect(() => dayOf('Europe/Atlantis', 0)).toThrow(RangeError);
  });
});

describe('the hour and the weekday', () => {
  const shownIn = (zone: string, at: number): readonly [hour: number, weekday: string] => {
    const format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', weekday: 'short' });
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
    return [Number(parts.get('hour')), parts.get('weekday') ?? ''];
  };
  const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

  test('are those that clocks show', () => {
    fc.assert(
      fc.property(zone, moment, (zone, at) => {
        const [hour, weekday] = shownIn(zone, at);
        expect(hourOf(zone, at)).toBe(hour);
        if (dayOf(zone, at) === shown(zone, at)) expect(weekdays[weekdayOf(zone, at) - 1]).toBe(weekday);
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ['UTC', '2026-03-29T00:30:00Z', 0, 7],
    ['Europe/Berlin', '2026-03-29T00:59:59.999Z', 1, 7],
    // The hour of two is left out; in October it comes twice.
    ['Europe/Berlin', '2026-03-29T01:00:00Z', 3, 7],
    ['Europe/Berlin', '2026-10-25T00:30:00Z', 2, 7],
    ['Europe/Berlin', '2026-10-25T01:30:00Z', 2, 7],
    ['Asia/Kathmandu', '2026-03-29T18:14:59Z', 23, 7],
    ['Asia/Kathmandu', '2026-03-29T18:15:00Z', 0, 1],
    ['UTC', '1969-12-31T23:59:59.999Z', 23, 3],
  ])('in %s at %s are %d and %d', (zone, at, hour, weekday) => {
    expect([hourOf(zone, Date.parse(at)), weekdayOf(zone, Date.parse(at))]).toEqual([hour, weekday]);
  });
});

describe('a text that is a time', () => {
  test.each([
    ['2026-03-01', 'UTC', '2026-03-01T00:00:00.000Z'],
    ['2026-03-01', 'Europe/Berlin', '2026-02-28T23:00:00.000Z'],
    ['2026-07-01 12:30', 'Europe/Berlin', '2026-07-01T10:30:00.000Z'],
    ['2026-07-01T12:30:15.1239', 'UTC', '2026-07-01T12:30:15.123Z'],
    ['2026-07-01T12:30:15.5Z', 'Europe/Berlin', '2026-07-01T12:30:15.500Z'],
    ['2026-07-01T12:30+05:45', 'Europe/Berlin', '2026-07-01T06:45:00.000Z'],
    ['2026-07-01T12:30:00-0330', 'UTC', '2026-07-01T16:00:00.000Z'],
    ['2024-02-29', 'UTC', '2024-02-29T00:00:00.000Z'],
    // Left out, and shown twice.
    ['2026-03-29T02:30', 'Europe/Berlin', '2026-03-29T01:00:00.000Z'],
    ['2026-10-25T02:30', 'Europe/Berlin', '2026-10-25T00:30:00.000Z'],
  ])('%s in %s is %s', (text, zone, moment) => {
    expect(new Date(momentOf(text, zone) ?? Number.NaN).toISOString()).toBe(moment);
  });

  test.each([
    '',
    '2026',
    '2026-3-1',
    '2026-02-29',
    '2026-13-01',
    '2026-01-01T24:00',
    '2026-01-01T12',
    '2026-01-01T12:00:60Z',
    '0001-01-01',
    ' 2026-01-01',
    '2026-01-01\n',
    '1772366400',
    '2026-01-01T12:00 Z',
    '2026-01-01Z',
  ])('"%s" is none', (text) => {
    expect(momentOf(text, 'UTC')).toBeUndefined();
  });
});
