import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BatchLevel, withBatchLevel } from './payload.ts';

const level = (context?: string, integrations?: string): BatchLevel =>
  new Map([
    ...(context ? [['context', context] as const] : []),
    ...(integrations ? [['integrations', integrations] as const] : []),
  ]);

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
])('a batch’s context goes under %s', (event, expected) => {
  expect(withBatchLevel(event, level('{"ip":"b"}'))).toBe(expected);
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
