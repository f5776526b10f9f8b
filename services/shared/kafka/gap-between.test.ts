import { expect, test } from 'vitest';
import { gapBetween } from './gap-between.ts';

test.each([
  ['what follows', 10, 10, 12, undefined],
  ['what is read again', 10, 8, 12, undefined],
  ['what is read again to the end', 10, 8, 10, undefined],
  ['expired records', 10, 11, 12, 'was read to 10, but the log goes on at 11'],
  ['a log that has become shorter', 10, 0, 9, 'was read to 10, but the log ends at 9'],
])('%s', (_, expected, fetched, end, gap) => {
  expect(gapBetween(expected, fetched, end)).toBe(gap);
});
