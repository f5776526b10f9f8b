import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differenceOf } from '../support/delivery.ts';
import { type Item, type Quality, qualityOf } from '../support/identity-quality.ts';

/** `a1 a1 b2`: three items, two in cluster a, which are person 1's. */
const items = (text: string): Item[] =>
  text
    .split(' ')
    .filter((one) => one !== '')
    .map((one) => ({ cluster: one.slice(0, 1), truth: one.slice(1) }));

describe('quality of a grouping', () => {
  test.each([
    ['nothing at all', '', [1, 1], [1, 1], 0, 0],
    ['each alone, as it should', 'a1 b2', [1, 1], [1, 1], 2, 1],
    ['all right', 'a1 a1 b2', [1, 1], [1, 1], 2, 2],
    ['two persons in one', 'a1 a2', [1 / 2, 1], [0, 1], 1, 2],
    ['one person in two', 'a1 b1', [1, 1 / 2], [1, 0], 2, 1],
    // The example of Amigó et al., "A comparison of extrinsic clustering evaluation metrics", with fewer items.
    ['some of both', 'a1 a1 a2 b1 b2', [(4 / 3 + 1 / 3 + 1) / 5, (5 / 3 + 1) / 5], [1 / 4, 1 / 4], 2, 3],
  ])('%s', (_, text, [precise, recalled], [pairPrecision, pairRecall], clusters, largest) => {
    const quality = qualityOf(items(text));
    expect(quality.bCubed.precision).toBeCloseTo(precise as number, 12);
    expect(quality.bCubed.recall).toBeCloseTo(recalled as number, 12);
    expect(quality.pairs).toEqual({ precision: pairPrecision, recall: pairRecall });
    expect(quality).toMatchObject({ clusters, largest });
  });

  test('whatever the grouping, the figures are those of comparing every item with every other', () => {
    const some = fc.record({
      cluster: fc.constantFrom('a', 'b', 'c', 'd'),
      truth: fc.constantFrom('1', '2', '3', '4', '5'),
    });
    fc.assert(
      fc.property(fc.array(some, { maxLength: 30, size: 'max' }), (given) => {
        const [quality, expected] = [qualityOf(given), compared(given)];
        for (const of of ['bCubed', 'pairs'] as const)
          for (const share of ['precision', 'recall'] as const)
            expect(quality[of][share]).toBeCloseTo(expected[of][share], 9);
      }),
    );
  });
});

/** The definitions, word by word. */
function compared(given: readonly Item[]): Pick<Quality, 'bCubed' | 'pairs'> {
  const mean = (shares: readonly number[]): number =>
    shares.length === 0 ? 1 : shares.reduce((sum, one) => sum + one, 0) / shares.length;
  const among = (one: Item, by: 'cluster' | 'truth'): Item[] => given.filter((other) => other[by] === one[by]);
  const right = (one: Item, others: readonly Item[]): number =>
    others.filter((other) => other.cluster === one.cluster && other.truth === one.truth).length / others.length;
  const pairs = given.flatMap((one, n) => given.slice(n + 1).map((other) => [one, other] as const));
  const rightPairs = (by: 'cluster' | 'truth'): number =>
    mean(
      pairs
        .filter(([one, other]) => one[by] === other[by])
        .map(([one, other]) => Number(one.cluster === other.cluster && one.truth === other.truth)),
    );
  return {
    bCubed: {
      precision: mean(given.map((one) => right(one, among(one, 'cluster')))),
      recall: mean(given.map((one) => right(one, among(one, 'truth')))),
    },
    pairs: { precision: rightPairs('cluster'), recall: rightPairs('truth') },
  };
}

describe('difference of two groupings', () => {
  const grouping = (text: string) => (item: string) => text[Number(item)] as string;
  test.each([
    ['the same', 'aab', 'aab', 0, 0, 0],
    ['the same under other names', 'aab', 'bba', 0, 0, 3],
    ['one has left a group', 'aaaab', 'aaacb', 1, 4, 1],
    ['one has gone over', 'aaabb', 'aabbb', 1, 5, 1],
    ['all are apart', 'aaa', 'abc', 2, 3, 2],
  ])('%s', (_, one, other, otherGroup, touched, otherName) => {
    const all = [...one].map((_, n) => String(n));
    expect(differenceOf(all, grouping(one), grouping(other))).toEqual({
      items: all.length,
      otherGroup,
      touched,
      otherName,
    });
  });
});
