import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backOffMs, LONGEST_RETRY_AFTER_MS } from './backoff.ts';

const policy = { attempts: 8, initialMs: 500, maxMs: 60_000 };

describe('back-off', () => {
  it('doubles up to its maximum', () => {
    const ceilings = [1, 2, 3, 7, 8, 9, 2_000].map((attempt) => backOffMs(attempt, policy, null, 0) * 2);
    expect(ceilings).toEqual([500, 1_000, 2_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('stays between half of the ceiling and the ceiling, whatever chance says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const ceiling = Math.min(60_000, 500 * 2 ** (attempt - 1));
        const wait = backOffMs(attempt, policy, null, random);
        return wait >= ceiling / 2 && wait <= ceiling;
      }),
    );
  });

  it('waits at least as long as it is asked to, within reason', () => {
    expect(backOffMs(1, policy, 9_000, 0)).toBe(9_000);
    expect(backOffMs(1, policy, 10, 0)).toBe(250);
    expect(backOffMs(1, policy, 10 ** 12, 0)).toBe(LONGEST_RETRY_AFTER_MS);
  });
});
