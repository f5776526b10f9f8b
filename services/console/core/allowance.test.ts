import { expect, test } from 'vitest';
import { Allowance } from './allowance.ts';

test('of each kind so many may be had in a second, and again in the next', () => {
  const allowance = new Allowance(10);
  expect(allowance.take('a', 7, 0)).toBe(7);
  expect(allowance.take('a', 7, 500)).toBe(3);
  expect(allowance.take('a', 7, 999)).toBe(0);
  expect(allowance.take('b', 7, 999)).toBe(7);
  expect(allowance.take('a', 7, 1_000)).toBe(7);
});
