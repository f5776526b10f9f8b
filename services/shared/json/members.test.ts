import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arrayElements, memberText, objectMembers } from './members.ts';

const indent = fc.constantFrom(undefined, 1, '\t');

test('the members of any object are those that JSON.parse finds', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), indent, (object, space) => {
      const text = JSON.stringify(object, undefined, space);
      const members = objectMembers(text);
      const read = [...members].map(([name, { start, end }]) => [name, JSON.parse(text.slice(start, end))]);
      expect(read).toEqual(Object.entries(JSON.parse(text) as object).map(([name, value]) => [name, value]));
    }),
  );
});

test('the elements of any array are those that JSON.parse finds', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), indent, (array, space) => {
      const text = JSON.stringify(array, undefined, space);
      expect(arrayElements(text).map(({ start, end }) => JSON.parse(text.slice(start, end)))).toEqual(JSON.parse(text));
    }),
  );
});

test.each([
  ['{"a":1.10}', ['a'], '1.10'],
  ['{"a":12345678901234567890}', ['a'], '12345678901234567890'],
  [' { "a" : { "b" : [ 1 , 2 ] } } ', ['a', 'b'], '[ 1 , 2 ]'],
  ['{"a":1,"a":2}', ['a'], '2'],
  ['{"\\u0061":1}', ['a'], '1'],
  ['{"a\\"b":1}', ['a"b'], '1'],
  ['{"x":"\\\\","a":"}"}', ['a'], '"}"'],
  ['{"a":{"b":1}}', ['a', 'c'], undefined],
  ['{"a":[{"b":1}]}', ['a', 'b'], undefined],
  ['[1]', ['a'], undefined],
  ['{}', ['a'], undefined],
])('%s at %j is %s', (text, path, expected) => {
  JSON.parse(text);
  expect(memberText(text, ...path)).toBe(expected);
});

test('the whole of a text that is deeply nested', () => {
  const text = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)},"b":1}`;
  expect(memberText(text, 'b')).toBe('1');
});
