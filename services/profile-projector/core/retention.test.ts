import { expect, it } from 'vitest';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import { anonymityIn, expiresAt } from './retention.ts';

const DAY = 86_400_000;

it('what a browser and a device are called identifies nobody, unless the rules say otherwise', () => {
  const usual = anonymityIn(defaultIdentityRules);
  const anonymous = (names: readonly string[], { isAnonymous } = usual): string[] => names.filter(isAnonymous);
  const all = [...defaultIdentityRules.types.map(({ type }) => type), 'external_id:crm', 'loyalty_card'];
  expect(anonymous(all)).toEqual(['anonymous_id', 'device_id']);

  const types = [
    { type: 'anonymous_id', identifies: true },
    { type: 'external_id:crm' },
    { type: 'external_id', identifies: false },
  ];
  const others = anonymityIn(definitionKinds.identity_rules.parse({ types }));
  // What the rules do not name identifies.
  expect(anonymous([...all, 'external_id:ads'], others)).toEqual(['external_id', 'external_id:ads']);
  expect(others.text).not.toBe(usual.text);
});

it.each<[string, number | null, number, boolean, number]>([
  ['when it has become anonymous: after the time', null, 100, false, 130],
  ['when it has been silent for long before: in a day', null, 10, false, 101],
  ['when something came since: as before, to be set anew then', 105, 100, false, 105],
  ['when that time has come: after the last that came', 100, 95, true, 125],
  ['when that time has come, and it cannot go yet: in a day', 100, 60, true, 101],
  ['when the time has become shorter: after the new one', 300, 90, false, 120],
  ['when it has become much shorter: in a day', 300, 10, false, 101],
  ['when that time has come, and not all is read: as before', 99, 98, false, 99],
])('it is looked at %s', (_, expires, last, hasCome, at) => {
  const set = expires === null ? null : expires * DAY;
  expect(expiresAt({ expires: set }, last * DAY, 30 * DAY, 100 * DAY, hasCome)).toBe(at * DAY);
});
