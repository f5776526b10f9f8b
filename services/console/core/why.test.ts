import { describe, expect, test } from 'vitest';
import type { Identifier } from '#schemas/generated/records.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import type { RulesBody } from '#shared/identity/linking/rules.ts';
import { changesFor, changesForLater, laterText, limitBrokenBy } from './why.ts';

const rules = (changes: object = {}, email: object = {}) =>
  definitionKinds.identity_rules.parse({
    types: [
      { type: 'user_id', limit: 1 },
      { type: 'email', limit: 2, ...email },
      { type: 'external_id', limit: 3 },
    ],
    mostIdentifiers: 6,
    sharedFrom: 8,
    ...changes,
  });
const some = (type: string, count: number): Identifier[] =>
  Array.from({ length: count }, (_, n) => ({ type, value: `${n}`, hash: `${type}${n}` }));

describe('limitBrokenBy', () => {
  test.each([
    [[...some('user_id', 1), ...some('email', 2)], undefined],
    [some('user_id', 2), 'limit:user_id'],
    [some('external_id:crm', 4), 'limit:external_id:crm'],
    [[...some('external_id:crm', 3), ...some('external_id:erp', 3)], undefined],
    [some('device', 5), undefined],
    [some('device', 6), 'limit:device'],
    [[...some('email', 2), ...some('device', 5)], 'limit:identifiers'],
  ])('%#', (identifiers, limit) => {
    expect(limitBrokenBy(identifiers, rules())).toBe(limit);
  });
});

test('what changes for a profile is told of its own types, and of what holds for all', () => {
  const identifiers = some('email', 1);
  expect(changesFor(identifiers, rules(), rules())).toEqual([]);
  expect(
    changesFor(identifiers, rules({ sharedFrom: 8 }), rules({ sharedFrom: 4 }, { limit: 5, links: 'weak' })),
  ).toEqual(['limit of email: 2 → 5', 'links of email: strong → weak', 'sharedFrom: 8 → 4']);
  expect(changesFor(some('user_id', 1), rules(), rules({}, { limit: 5 }))).toEqual([]);
});

describe('what counts only for later events', () => {
  const types = (...names: string[]) => ({ types: names.map((type) => ({ type })) });
  test.each([
    ['nothing', {}, {}, []],
    ['grouping', {}, { mostIdentifiers: 9, sharedFrom: 3, phoneCountry: 'DE' }, ['phoneCountry']],
    ['a place', {}, { types: [{ type: 'user_id', from: ['properties.id'] }] }, ['from of user_id']],
    ['a spelling', {}, { types: [{ type: 'user_id', spelling: 'lowercase' }] }, ['spelling of user_id']],
    ['a spelling as it was anyway', {}, { types: [{ type: 'user_id', spelling: 'exact', limit: 1 }] }, []],
    ['a value', { blockedValues: ['x'] }, { blockedValues: ['x', 'y'] }, ['blockedValues']],
    ['the same values', { blockedValues: ['x'] }, { blockedValues: ['x'] }, []],
    ['order', types('user_id', 'email', 'phone'), types('user_id', 'phone', 'email'), ['order of types']],
    [
      'types',
      types('user_id', 'email', 'phone'),
      types('card', 'user_id', 'phone'),
      ['card among the types', 'email no longer among the types'],
    ],
  ])('%s', (_, before, after, told) => {
    const [was, is] = [before, after].map((one) =>
      definitionKinds.identity_rules.parse({ types: [{ type: 'user_id' }], ...one }),
    );
    expect(changesForLater(was as RulesBody, is as RulesBody)).toEqual(told);
  });

  test('is told with why', () => {
    expect(laterText([])).toBeUndefined();
    expect(laterText(['blockedValues', 'phoneCountry'])).toMatch(
      /^counts only for events .* keep their identifiers: blockedValues, phoneCountry$/,
    );
  });
});
