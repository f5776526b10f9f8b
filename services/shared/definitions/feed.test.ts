import { expect, test } from 'vitest';
import type { Definition } from '#schemas/generated/records.ts';
import { Definitions } from './definitions.ts';
import { inForceAfter } from './feed.ts';

const record = (version: number, body: string, deleted = false): Definition => ({
  kind: 'purpose',
  name: 'ads',
  version,
  body,
  actor: 'a',
  reason: '',
  at: 0,
  deleted,
});
const key = 'purpose/ads';
const versionIn = (definitions: Definitions | undefined) => definitions?.get('purpose', 'ads')?.version;
const first = inForceAfter(new Definitions(), key, record(1, '{}'));

test('a definition is in force until it is deleted, or its record is gone', () => {
  expect(versionIn(first)).toBe(1);
  const second = inForceAfter(first as Definitions, key, record(2, '{}'));
  expect(versionIn(second)).toBe(2);
  expect(versionIn(inForceAfter(second as Definitions, key, record(3, '{}', true)))).toBeUndefined();
  expect(versionIn(inForceAfter(second as Definitions, key, null))).toBeUndefined();
});

test.each([
  ['a body of a newer version', record(2, '{"newer":true}')],
  ['a body that is no JSON', record(2, '{')],
  ['a kind of a newer version', { ...record(2, '{}'), kind: 'newer' }],
  ['bytes that are no record', undefined],
])('%s is not understood: what is in force stays', (_, unknown) => {
  expect(inForceAfter(first as Definitions, key, unknown)).toBeUndefined();
});

test('what is deleted goes, also when its body is not understood', () => {
  const gone = inForceAfter(first as Definitions, key, record(2, '{"newer":true}', true));
  expect(gone).toBeDefined();
  expect(versionIn(gone)).toBeUndefined();
});
