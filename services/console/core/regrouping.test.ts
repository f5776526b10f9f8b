import { describe, expect, test } from 'vitest';
import type { Identifier } from '#schemas/generated/records.ts';
import { Grouping, regroupingOf } from './regrouping.ts';

const identifier = (hash: string): Identifier => ({ type: 'user_id', value: hash, hash });
/** The first of each group is its anchor. */
const grouping = (...groups: readonly string[]): Grouping =>
  new Grouping(
    groups.map((group) => {
      const members = [...group].map((hash) => ({ identifier: identifier(hash) }));
      return { anchor: members[0] as (typeof members)[0], members };
    }),
  );
const written = ({ anchor, members }: { anchor: string; members: readonly Identifier[] }): string =>
  `${anchor}:${members.map(({ hash }) => hash).join('')}`;

const shown = (before: Grouping, after: Grouping) => {
  const { united, split, touched, moved, largest, largestTouched } = regroupingOf(before, after);
  return {
    united: united.map(({ parts, into }) => `${parts.map(written).join(' ')} → ${written(into)}`),
    split: split.map(({ of, parts }) => `${written(of)} → ${parts.map(written).join(' ')}`),
    touched: touched.map(written),
    moved: moved.map(({ identifier: { hash }, from, to }) => `${hash} ${from}→${to}`),
    largest: largest && written(largest),
    largestTouched: largestTouched && written(largestTouched),
  };
};

describe('regroupingOf', () => {
  test('says nothing where nothing changes', () => {
    expect(shown(grouping('ab', 'c'), grouping('c', 'ab'))).toEqual({
      united: [],
      split: [],
      touched: [],
      moved: [],
      largest: 'a:ab',
      largestTouched: undefined,
    });
  });
  test('tells what becomes one, and who moves', () => {
    expect(shown(grouping('ab', 'cd', 'efg'), grouping('cdab', 'efg'))).toEqual({
      united: ['a:ab c:cd → c:abcd'],
      split: [],
      touched: ['a:ab', 'c:cd'],
      moved: ['a a→c', 'b a→c'],
      largest: 'c:abcd',
      largestTouched: 'c:abcd',
    });
  });
  test('tells what becomes several, also where a part joins another', () => {
    expect(shown(grouping('abc', 'd'), grouping('ab', 'cd'))).toMatchObject({
      united: ['a:abc d:d → c:cd'],
      split: ['a:abc → a:ab c:cd'],
      touched: ['a:abc', 'd:d'],
      moved: ['c a→c', 'd d→c'],
    });
  });
  test('knows identifiers that are new, or that nothing is claimed of any more, as alone', () => {
    expect(shown(grouping('ab'), grouping('a'))).toMatchObject({ split: ['a:ab → a:a b:b'], moved: ['b a→b'] });
    expect(shown(grouping('a'), grouping('ab'))).toMatchObject({ united: ['a:a b:b → a:ab'], moved: ['b b→a'] });
    expect(shown(grouping(), grouping('a'))).toMatchObject({ touched: [], moved: [] });
  });
  test('tells of a profile that only has another id', () => {
    expect(shown(grouping('ab'), grouping('ba'))).toMatchObject({
      united: [],
      split: [],
      touched: ['a:ab'],
      moved: ['a a→b', 'b a→b'],
    });
  });
});
