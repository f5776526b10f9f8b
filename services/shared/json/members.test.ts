import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arrayElements, memberText, objectMembers, withoutMember } from './members.ts';

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

test.each([
  ['{"ip":1}', '{}'],
  ['{ "ip" : 1 }', '{  }'],
  ['{"ip":1, "a":1.10}', '{"a":1.10}'],
  ['{"a" : 1.10 , "ip":1 }', '{"a" : 1.10 }'],
  ['{"a":1, "ip":1 , "b":2}', '{"a":1 , "b":2}'],
  ['{"ip":1,"ip":2,"a":1,"ip":3,"ip":4}', '{"a":1}'],
  ['{"ip":1,"ip":2}', '{}'],
  ['{"\\u0069p":1,"a":{"ip":1}}', '{"a":{"ip":1}}'],
  ['[{"ip":1}]', '[{"ip":1}]'],
  ['"ip"', '"ip"'],
])('%s without ip is %s', (text, expected) => {
  JSON.parse(text);
  expect(withoutMember(text, 'ip')).toBe(expected);
});

test('a member inside another is taken out of each of that name', () => {
  const text = '{"c":{"ip":1},"ip":1,"c":{"a":1,"ip":[2]},"d":{"ip":1}}';
  expect(withoutMember(text, 'c', 'ip')).toBe('{"c":{},"ip":1,"c":{"a":1},"d":{"ip":1}}');
});

test('what is left of any object is all but that member', () => {
  // No name with a backslash: where an object with the name \ was parsed before, V8 13.6 reads the name " as \, too.
  const key = fc.constantFrom('ip', 'a', 'b', '"', '\n', '\u00e9');
  fc.assert(
    fc.property(fc.dictionary(key, fc.jsonValue()), indent, (object, space) => {
      const { ip: _, ...rest } = JSON.parse(JSON.stringify(object)) as Record<string, unknown>;
      expect(JSON.parse(withoutMember(JSON.stringify(object, undefined, space), 'ip'))).toEqual(rest);
    }),
  );
});
