import { expect, test } from 'vitest';
import { paceOf, phaseOf, progressLine, type Standing } from './progress.ts';

const behind = { events: 20, claims: 3, rest: 5 };
const standing: Standing = {
  begun: 4,
  partitions: 4,
  rows: 30_000,
  of: 120_000,
  isRead: false,
  isSettled: false,
  behind,
};
const since = { rows: 10_000, seconds: 2 };

test('the pace is that since this process saw it read, and tells when it will be done', () => {
  expect(paceOf(standing, since)).toEqual({ rowsPerSecond: 10_000, secondsLeft: 9 });
  expect(paceOf(standing, { rows: 30_000, seconds: 0 })).toEqual({ rowsPerSecond: 0, secondsLeft: undefined });
});

test.each([
  [{ begun: 0, partitions: 0, rows: 0, of: 0 }, 'starting', 'starting'],
  [{ begun: 3, rows: 0, of: 0 }, 'starting', 'starting: 3 of 4 partitions follow the stream'],
  [{ rows: 0, of: 0 }, 'waiting', 'every partition follows the stream; waiting until history can be read'],
  [{}, 'reading', '25 % of 120000 events  10000 events/s  9 s left  3 claims and 25 other records wait'],
  [{ rows: 120_000 }, 'reading', '99 % of 120000 events  55000 events/s  0 s left  3 claims and 25 other records wait'],
  [{ rows: 10_000 }, 'reading', '8 % of 120000 events  0 events/s  3 claims and 25 other records wait'],
  [{ rows: 120_000, isRead: true }, 'settling', 'all 120000 events are read  3 claims and 25 other records wait'],
  // There was no history.
  [{ rows: 0, of: 0, isRead: true }, 'settling', 'all 0 events are read  3 claims and 25 other records wait'],
  [
    { isRead: true, isSettled: true, behind: { events: 0, claims: 0, rest: 0 } },
    'complete',
    'complete, and follows the stream  0 claims and 0 other records wait',
  ],
])('%j is %s', (some, phase, line) => {
  expect(phaseOf({ ...standing, ...some })).toBe(phase);
  expect(progressLine({ ...standing, ...some }, since)).toBe(line);
});
