import { expect, test } from 'vitest';
import { paceOf, progressLine } from './progress.ts';

const progress = {
  bytes: 3_000_000,
  of: 12_000_000,
  since: { rows: 20_000, bytes: 1_500_000, seconds: 2 },
  accepted: 39_990,
  rejected: 10,
};

test('the pace is that since it was begun, and tells when it will be done', () => {
  expect(paceOf(progress)).toEqual({ rowsPerSecond: 10_000, secondsLeft: 12 });
  expect(paceOf({ ...progress, since: { rows: 0, bytes: 0, seconds: 0 } })).toEqual({
    rowsPerSecond: 0,
    secondsLeft: undefined,
  });
});

test.each([
  [progress, '25 % of 12.0 MB  39990 accepted  10 rejected  10000 rows/s  12 s left'],
  [{ ...progress, of: 1.2e9, rejected: 0 }, '0 % of 1200.0 MB  39990 accepted  10000 rows/s  27 min left'],
  [{ ...progress, of: 1.2e10, rejected: 0 }, '0 % of 12000.0 MB  39990 accepted  10000 rows/s  4.4 h left'],
  [{ ...progress, of: undefined }, '3.0 MB  39990 accepted  10 rejected  10000 rows/s'],
])('a line of it: %#', (some, line) => {
  expect(progressLine(some)).toBe(line);
});
