import { expect, test } from 'vitest';
import { differencesBetween } from './differences.ts';

test.each([
  [{ a: 1 }, { a: 1 }, []],
  [
    { a: 1, b: 2 },
    { b: 3, c: 4 },
    [
      ['a', 1, undefined],
      ['b', 2, 3],
      ['c', undefined, 4],
    ],
  ],
  [
    { a: { b: [1, 2] } },
    { a: { b: [1, 3, 4] } },
    [
      ['a.b.1', 2, 3],
      ['a.b.2', undefined, 4],
    ],
  ],
  [{ a: [] }, { a: {} }, [['a', [], {}]]],
  [{ a: null }, { a: { b: 1 } }, [['a', null, { b: 1 }]]],
  [undefined, { a: 1 }, [['.', undefined, { a: 1 }]]],
])('%j and %j', (before, after, expected) => {
  expect(differencesBetween(before, after)).toEqual(expected.map(([path, b, a]) => ({ path, before: b, after: a })));
});
