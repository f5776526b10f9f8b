import { expect, test } from 'vitest';
import { consentsOf } from './consents.ts';

const stated = (context: unknown, gpc = false) =>
  consentsOf(context, gpc, 'web', 5).map(({ purpose, state, source }) => `${purpose} ${state} ${source}`);

test.each([
  [
    'Segment',
    { consent: { categoryPreferences: { ads: true, stats: false, odd: 'yes' } } },
    ['ads granted web', 'stats denied web'],
  ],
  [
    'RudderStack',
    { consentManagement: { provider: 'oneTrust', allowedConsentIds: ['C1', '', 3], deniedConsentIds: ['C2'] } },
    ['C1 granted web', 'C2 denied web'],
  ],
  [
    'both ways at once is denied',
    { consentManagement: { allowedConsentIds: ['C1'], deniedConsentIds: ['C1'] } },
    ['C1 denied web'],
  ],
  ['nothing', { consent: null, consentManagement: [1] }, []],
  ['no object', 'context', []],
])('%s', (_, context, expected) => {
  expect(stated(context)).toEqual(expected);
});

test('Sec-GPC denies selling and sharing', () => {
  expect(stated({}, true)).toEqual(['sale_or_sharing denied gpc']);
});

test('so many are too many', () => {
  const categoryPreferences = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`p${n}`, true]));
  expect(stated({ consent: { categoryPreferences } })).toHaveLength(100);
});
