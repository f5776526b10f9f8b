import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addDigests } from '#shared/profiles/digest.ts';
import { DigestTable } from './digest-table.ts';

const digest = fc.bigInt({ min: 1n, max: (1n << 128n) - 1n });
/** A version of one of some profiles, or 0n: it is gone. */
const version = fc.record({
  feed: fc.nat({ max: 1 }),
  id: fc.constantFrom('a', 'b', 'c', 'd'),
  digest: fc.oneof({ weight: 4, arbitrary: digest }, fc.constant(0n)),
  at: fc.nat({ max: 9 }),
});

test('has of each profile, as of each moment, the newest version until then', () => {
  fc.assert(
    fc.property(fc.array(version, { maxLength: 40 }), (versions) => {
      const moments = [2, 5, Number.POSITIVE_INFINITY];
      const table = new DigestTable(2, moments);
      for (const one of versions) table.see(one.feed, one.id, one.digest, one.at);
      for (const feed of [0, 1])
        for (const [n, moment] of moments.entries()) {
          const newest = new Map<string, bigint>();
          for (const one of versions) if (one.feed === feed && one.at <= moment) newest.set(one.id, one.digest);
          const living = [...newest.values()].filter((one) => one !== 0n);
          for (const id of ['a', 'b', 'c', 'd']) expect(table.digestOf(feed, id, n)).toBe(newest.get(id) ?? 0n);
          expect(table.total(feed, n)).toEqual({ profiles: living.length, digest: living.reduce(addDigests, 0n) });
        }
    }),
  );
});

test('keeps many apart', () => {
  const table = new DigestTable(1);
  for (let n = 0; n < 20_000; n++) table.see(0, `p${n}`, BigInt(n + 1), 0);
  expect([table.digestOf(0, 'p0'), table.digestOf(0, 'p8192'), table.digestOf(0, 'p19999')]).toEqual([
    1n,
    8_193n,
    20_000n,
  ]);
  expect(table.total(0)).toEqual({ profiles: 20_000, digest: 200_010_000n });
});
