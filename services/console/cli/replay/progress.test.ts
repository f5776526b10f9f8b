import { expect, test } from 'vitest';
import { paceOf, phaseOf, progressLine, type Standing } from './progress.ts';

const profiles = { rows: 30_000, of: 120_000, isRead: false };
const standing: Standing = {
  begun: 4,
  told: 0,
  partitions: 4,
  profiles,
  claims: undefined,
  unit: 'events',
  isSettled: false,
  behind: { events: 20, claims: 3, rest: 5 },
};
const unknown = { rows: 0, of: 0, isRead: false };
const read = { rows: 120_000, of: 120_000, isRead: true };
const since = { rows: 10_000, seconds: 2 };

test('the pace is that since this process saw it read, and tells when it will be done', () => {
  expect(paceOf(standing, since)).toEqual({ perSecond: 10_000, secondsLeft: 9 });
  expect(paceOf(standing, { rows: 30_000, seconds: 0 })).toEqual({ perSecond: 0, secondsLeft: undefined });
  // What claims are made of is read once more.
  expect(paceOf({ ...standing, claims: profiles }, since)).toEqual({ perSecond: 25_000, secondsLeft: 7 });
});

const wait = '3 claims and 25 other records wait';
test.each<[Partial<Standing>, string, string]>([
  [{ begun: 0, partitions: 0, profiles: unknown }, 'starting', 'starting'],
  [{ begun: 3, profiles: unknown }, 'starting', 'starting: 3 of 4 partitions follow the stream'],
  [{ profiles: unknown }, 'waiting', 'every partition follows the stream; waiting until ClickHouse has all before'],
  [{}, 'reading', `25 % of 120000 events  10000/s  9 s left  ${wait}`],
  [{ unit: 'offsets' }, 'reading', `25 % of 120000 offsets  10000/s  9 s left  ${wait}`],
  [{ profiles: { ...read, isRead: false } }, 'reading', `99 % of 120000 events  55000/s  0 s left  ${wait}`],
  [{ profiles: { ...profiles, rows: 10_000 } }, 'reading', `8 % of 120000 events  0/s  ${wait}`],
  [
    { profiles: read, claims: profiles },
    'reading',
    `100 % of 120000 events  claims from 25 % of them  70000/s  1 s left  ${wait}`,
  ],
  [
    { profiles: unknown, claims: profiles },
    'reading',
    `0 % of 0 events  claims from 25 % of them  10000/s  9 s left  ${wait}`,
  ],
  [
    { profiles: read, told: 3 },
    'settling',
    `all 120000 events are read  profiles of 3 of 4 partitions are told  ${wait}`,
  ],
  [{ profiles: read, told: 4 }, 'settling', `all 120000 events are read  ${wait}`],
  // There was no history.
  [{ profiles: { ...unknown, isRead: true }, told: 4 }, 'settling', `all 0 events are read  ${wait}`],
  [
    { profiles: read, told: 4, isSettled: true, behind: { events: 0, claims: 0, rest: 0 } },
    'complete',
    'complete, and follows the stream  0 claims and 0 other records wait',
  ],
])('%j is %s', (some, phase, line) => {
  expect(phaseOf({ ...standing, ...some })).toBe(phase);
  expect(progressLine({ ...standing, ...some }, since)).toBe(line);
});
