import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BatchLevel, underOf, withBatchLevel } from './payload.ts';

const level = (context?: string, integrations?: string): BatchLevel => [
  ...(context ? [underOf('context', context)] : []),
  ...(integrations ? [underOf('integrations', integrations)] : []),
];

test('nothing to put under: the text as it is', () => {
  expect(withBatchLevel('{ "a" : 1.10 }', level())).toBe('{ "a" : 1.10 }');
});

test.each([
  ['{}', '{"context":{"ip":"b"}}'],
  ['{"a":1.10}', '{"a":1.10,"context":{"ip":"b"}}'],
  ['{"context":null}', '{"context":{"ip":"b"}}'],
  ['{"context":{},"n":12345678901234567890}', '{"context":{"ip":"b"},"n":12345678901234567890}'],
  ['{"context":{"ip":"own", "x":1e2 }}', '{"context":{"ip":"own", "x":1e2 }}'],
  ['{"context":{"x":1},"z":"}"}', '{"context":{"x":1,"ip":"b"},"z":"}"}'],
  ['{"context":[],"context":{ "x":1 }}', '{"context":[],"context":{ "x":1,"ip":"b"}}'],
])('a batch’s context goes under %s', (event, expected) => {
  expect(withBatchLevel(event, level('{"ip":"b"}'))).toBe(expected);
});

test('both objects, whichever comes first in the event', () => {
  const batchLevel = level('{"ip":"b"}', '{"All":true}');
  expect(withBatchLevel('{"integrations":{"x":1},"context":{"y":2}}', batchLevel)).toBe(
    '{"integrations":{"x":1,"All":true},"context":{"y":2,"ip":"b"}}',
  );
});

test('is what merging the parsed objects gives, for any objects', () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 });
  const event = fc.record(
    { context: fc.option(object), integrations: object, n: fc.jsonValue() },
    { requiredKeys: [] },
  );
  const parsed = (text: string) => JSON.parse(text) as Record<string, object>;
  fc.assert(
    fc.property(event, object, object, fc.constantFrom(undefined, 2), (given, context, integrations, indent) => {
      const [text, c, i] = [given, context, integrations].map((one) => JSON.stringify(one, undefined, indent));
      const own = parsed(text as string);
      expect(parsed(withBatchLevel(text as string, level(c, i)))).toEqual({
        ...own,
        context: { ...parsed(c as string), ...own.context },
        integrations: { ...parsed(i as string), ...own.integrations },
      });
    }),
  );
});
