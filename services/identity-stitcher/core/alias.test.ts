import { expect, test } from 'vitest';
import type { EventCollected } from '#schemas/generated/records.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import { exactId } from '#shared/identity/exact-id.ts';
import { identifiersOf } from '#shared/identity/identifiers.ts';
import { hashing } from '#shared/identity/linking/arbitrary.fixture.ts';
import type { NamingRules } from '#shared/identity/plan.ts';
import { aliasOf } from './alias.ts';

const UUID = '84469a7b-c970-457a-89cf-ac1caf065e83';

/** What the collector makes of an alias call. */
function collected(payload: string, rules: NamingRules = defaultIdentityRules): EventCollected {
  const event = JSON.parse(payload) as Record<string, unknown>;
  const id = (name: string): unknown => exactId(payload, name, event[name]);
  const ids = { userId: id('userId'), previousId: id('previousId'), anonymousId: id('anonymousId') };
  const identifiers = identifiersOf({ type: 'alias', ...ids }, rules, hashing);
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

test.each([
  ['lowercase', 'Ann', 'ANN-OLD', ['ann-old', 'ann']],
  ['email', 'Ann@B.co', 'Old@B.co', ['old@b.co', 'ann@b.co']],
  ['phone', '030 1234567', '+49 30 7654321', ['+49307654321', '+49301234567']],
] as const)('an alias of user ids that the rules spell as %s', (spelling, userId, previousId, expected) => {
  const rules = definitionKinds.identity_rules.parse({ types: [{ type: 'user_id', spelling }], phoneCountry: 'DE' });
  const alias = aliasOf(collected(JSON.stringify({ type: 'alias', userId, previousId }), rules));
  expect(alias?.map(({ value }) => value)).toEqual(expected);
});
