import { expect, test } from 'vitest';
import type { EventCollected } from '#schemas/generated/records.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import { exactId } from '#shared/identity/exact-id.ts';
import { identifiersOf } from '#shared/identity/identifiers.ts';
import { aliasOf } from './alias.ts';
import { hashing } from './arbitrary.fixture.ts';

const UUID = '84469a7b-c970-457a-89cf-ac1caf065e83';

/** What the collector makes of an alias call. */
function collected(payload: string): EventCollected {
  const event = JSON.parse(payload) as Record<string, unknown>;
  const id = (name: string): unknown => exactId(payload, name, event[name]);
  const ids = { userId: id('userId'), previousId: id('previousId'), anonymousId: id('anonymousId') };
  const identifiers = identifiersOf({ type: 'alias', ...ids }, defaultIdentityRules, hashing);
  return { type: 'alias', payload, identifiers } as unknown as EventCollected;
}

test.each([
  ['texts', '"u1"', `"${UUID}"`, [UUID, 'u1']],
  ['two user ids', '"u1"', '"u0"', ['u0', 'u1']],
  ['a number', '42', `"${UUID}"`, [UUID, '42']],
  [
    'numbers too large for JavaScript',
    '12345678901234567890',
    '12345678901234567891',
    ['12345678901234567891', '12345678901234567890'],
  ],
  ['characters that nobody sees', '"u\\u200b1"', '"\\u2066u0"', ['u0', 'u1']],
  ['white space and compatibility forms', '" \\ufb01n "', '"u0\\t"', ['u0', 'fin']],
  ['both the same', '"u1"', '" u1"', undefined],
  ['one that is unusable', '"null"', '"u0"', undefined],
  ['one that is no id', '{"a":1}', '"u0"', undefined],
])('an alias of %s', (_, userId, previousId, expected) => {
  const alias = aliasOf(collected(`{"type":"alias","userId":${userId},"previousId":${previousId}}`));
  expect(alias?.map(({ value }) => value)).toEqual(expected);
});
