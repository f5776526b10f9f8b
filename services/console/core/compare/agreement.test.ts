import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Agreeing } from './agreement.ts';
import { DigestTable } from './digest-table.ts';

/** Two feeds that can be told versions of profiles, and are looked at. */
function feeds() {
  const table = new DigestTable(2);
  let agreeing: Agreeing | undefined;
  const tell = (feed: 0 | 1, id: string, digest: bigint): void => {
    table.see(feed, id, digest, 0);
    agreeing?.see(feed, id, digest);
  };
  const look = (): Agreeing => {
    if (agreeing) agreeing.look();
    else agreeing = new Agreeing(table);
    return agreeing;
  };
  return { tell, look };
}

describe('two feeds', () => {
  test('that say the same agree, whatever else one of them has said before', () => {
    const { tell, look } = feeds();
    for (const digest of [3n, 7n]) tell(0, 'a', digest);
    tell(1, 'a', 7n);
    tell(0, 'gone', 5n);
    tell(0, 'gone', 0n);
    expect(look().result()).toEqual({
      totals: [
        { profiles: 1, digest: 7n },
        { profiles: 1, digest: 7n },
      ],
      differing: [],
      agreedLater: 0,
    });
  });

  test('of which one is a little behind agree a moment later, and have one digest', () => {
    const { tell, look } = feeds();
    tell(0, 'a', 2n);
    tell(1, 'a', 1n);
    expect(look().open).toBe(1);
    tell(1, 'a', 2n);
    expect(look().result()).toEqual({
      totals: [
        { profiles: 1, digest: 2n },
        { profiles: 1, digest: 2n },
      ],
      differing: [],
      agreedLater: 1,
    });
  });

  test('agree of a profile that never rests, where one says what the other has said since', () => {
    const { tell, look } = feeds();
    tell(0, 'a', 1n);
    tell(1, 'a', 9n);
    look();
    for (const digest of [2n, 3n, 4n]) tell(0, 'a', digest);
    tell(1, 'a', 3n);
    expect(look().result().differing).toEqual([]);
  });

  test('do not agree where one says what the other said before anybody looked', () => {
    const { tell, look } = feeds();
    for (const digest of [1n, 2n]) tell(0, 'a', digest);
    tell(1, 'a', 1n);
    tell(1, 'only-here', 4n);
    look();
    look();
    expect(look().result()).toEqual({
      totals: [
        { profiles: 1, digest: 2n },
        { profiles: 2, digest: 5n },
      ],
      differing: ['a', 'only-here'],
      agreedLater: 0,
    });
  });

  test('as of a time agree if they do at one of the moments that follow', () => {
    const table = new DigestTable(2, [10, 20, 30]);
    // The second has two events in one batch, which the first has one after the other.
    table.see(0, 'a', 1n, 9);
    table.see(0, 'a', 2n, 11);
    table.see(1, 'a', 2n, 11);
    table.see(0, 'b', 5n, 9);
    table.see(1, 'b', 6n, 9);
    const { totals, differing, agreedLater } = new Agreeing(table).result();
    expect([differing, agreedLater]).toEqual([['b'], 1]);
    expect(totals).toEqual([
      { profiles: 2, digest: 7n },
      { profiles: 2, digest: 8n },
    ]);
  });
});

test('totals are equal exactly where nothing differs', () => {
  const version = fc.record({
    feed: fc.constantFrom(0, 1) as fc.Arbitrary<0 | 1>,
    id: fc.constantFrom('a', 'b', 'c'),
    digest: fc.bigInt(0n, 3n),
  });
  fc.assert(
    fc.property(fc.array(fc.array(version, { maxLength: 6 }), { minLength: 1, maxLength: 4 }), (rounds) => {
      const { tell, look } = feeds();
      let last: ReturnType<typeof look> | undefined;
      for (const round of rounds) {
        // Digests of different profiles are different.
        for (const { feed, id, digest } of round) tell(feed, id, digest && digest + (BigInt(id.charCodeAt(0)) << 32n));
        last = look();
      }
      const { totals, differing } = (last as NonNullable<typeof last>).result();
      if (differing.length === 0) expect(totals[0]).toEqual(totals[1]);
      if (differing.length === 1) expect(totals[0]).not.toEqual(totals[1]);
    }),
  );
});
