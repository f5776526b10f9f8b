import { expect, it } from 'vitest';
import { fieldNamesOf } from './field-names.ts';

it.each([
  ['sorted paths', { b: 1, a: { d: 'x', c: null } }, ['a.c', 'a.d', 'b']],
  [
    'elements of arrays under one name',
    { items: [{ sku: 1 }, { qty: 2 }], tags: ['x'] },
    ['items[].qty', 'items[].sku', 'tags[]'],
  ],
  ['empty containers by their own name', { a: {}, b: [] }, ['a', 'b']],
  ['nothing for what is undefined', { a: undefined }, []],
  ['nothing for nothing', undefined, []],
  ['what lies too deep as a whole', { a: { b: { c: { d: { e: 'secret' } } } } }, ['a.b.c.d']],
])('names %s', (_, value, names) => {
  expect(fieldNamesOf(value)).toEqual(names);
});

it('keeps a bounded number of bounded names', () => {
  const wide = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`f${i}${'x'.repeat(500)}`, i]));
  const names = fieldNamesOf(wide);
  expect(names).toHaveLength(200);
  expect(Math.max(...names.map((name) => name.length))).toBe(100);
});
