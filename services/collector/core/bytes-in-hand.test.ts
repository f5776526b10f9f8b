import { expect, test } from 'vitest';
import { BytesInHand } from './bytes-in-hand.ts';

test('holds so much over all requests, and as much again when they have let go', () => {
  const inHand = new BytesInHand(10);
  const [one, other] = [inHand.open(), inHand.open()];
  expect([one.take(4), other.take(4), one.take(3), other.take(2)]).toEqual([
    undefined,
    undefined,
    'overloaded',
    undefined,
  ]);
  other.release();
  other.release();
  expect([one.take(7), one.take(6)]).toEqual(['too_large', undefined]);
});
