import { expect, test } from 'vitest';
import { maskedDifference } from './masked-difference.ts';

const ann = { type: 'phone', value: '+15551234567', hash: 'h' };
const trait = (value: string, sensitivity = 'none') => ({ value, sensitivity, source: 'web' });
const masked = (path: string, one: unknown, other: unknown = null) =>
  maskedDifference(
    { path, values: [one, other] },
    [ann],
    new Map([
      ['ill', true],
      ['orders', false],
    ]),
  ).values;

test.each([
  ['identifiers', [ann], [{ ...ann, value: '+…7' }]],
  ['traits.plan', trait('"pro"'), trait('"pro"')],
  ['traits.weight', trait('77', 'personal'), trait('…', 'personal')],
  ['traits.name', trait('"Ann Lee"', 'personal'), trait('"A…e"', 'personal')],
  ['traits.mail', trait('"ann@example.com"'), trait('"a…@example.com"')],
  ['traits.tel', trait('"+15551234567"'), trait('"+…7"')],
  ['computed.orders', { value: '7', definition_version: 1 }, { value: '7', definition_version: 1 }],
  ['computed.ill', { value: '"flu"' }, { value: '"…"' }],
  ['computed.unknown', { value: '"illness"' }, { value: '"i…s"' }],
  ['groups', [{ group: 'acme', traits: '{"a":1}' }], [{ group: 'acme', traits: '…' }]],
  ['events', 5, 5],
])('%s', (path, value, shown) => {
  expect(masked(path, value)).toEqual([shown, null]);
});
