import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateLimits } from './rate-limits.ts';

const limit = { perSecond: 10, burst: 20 };

test('after its burst a key waits until there is one again; others do not wait', () => {
  const limits = new RateLimits();
  limits.take('a', limit, 20, 0);
  expect(limits.wait('a', limit, 0)).toBe(1);
  expect(limits.wait('b', limit, 0)).toBe(0);
  expect(limits.wait('a', limit, 99)).toBe(1);
  expect(limits.wait('a', limit, 101)).toBe(0);
});

test('a batch larger than the burst is taken, and those after it wait for it', () => {
  const limits = new RateLimits();
  expect(limits.wait('a', limit, 0)).toBe(0);
  limits.take('a', limit, 1_020, 0);
  expect(limits.wait('a', limit, 0)).toBe(101);
  expect(limits.wait('a', limit, 100_000)).toBe(1);
  expect(limits.wait('a', limit, 101_000)).toBe(0);
});

test('a clock that is set back gives nothing', () => {
  const limits = new RateLimits();
  limits.take('a', limit, 20, 10_000);
  expect(limits.wait('a', limit, 0)).toBe(1);
});

test('whatever comes when, no more is taken than the burst, the rate, and the last batch', () => {
  const request = fc.record({ after: fc.integer({ min: 0, max: 5_000 }), events: fc.integer({ min: 1, max: 50 }) });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 100 }), (requests) => {
      const limits = new RateLimits();
      let now = 0;
      let taken = 0;
      for (const { after, events } of requests) {
        now += after;
        if (limits.wait('a', limit, now) > 0) continue;
        limits.take('a', limit, events, now);
        taken += events;
        expect(taken).toBeLessThanOrEqual(limit.burst + (now / 1_000) * limit.perSecond + events);
      }
    }),
  );
});
