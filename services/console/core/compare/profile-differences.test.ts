import { expect, test } from 'vitest';
import { aProfile } from '#shared/profiles/a-profile.fixture.ts';
import { profileDifferences } from './profile-differences.ts';

const trait = { name: 'plan', value: '"pro"', timestamp: 1, message_id: 'm1', source: 'web', sensitivity: 'none' };
const consent = { purpose: 'ads', state: 'granted', time: 1, source: 'web', policy_version: null };
const profile = aProfile('p', 1, { traits: [trait], consents: [consent] });

test('profiles that differ only in how they came to be do not differ', () => {
  const other = { ...profile, version: 9, why: ['replay'], updated_at: 77, causes: ['m'], changed: [], edition: 2 };
  expect(profileDifferences(profile, other)).toEqual([]);
  // Decoders put members in different orders.
  const turned = Object.fromEntries(Object.entries(trait).reverse()) as typeof trait;
  expect(profileDifferences(profile, { ...profile, traits: [turned] })).toEqual([]);
});

test('paths are those that `changed` has, each with both values', () => {
  const computed = [{ name: 'orders', value: '2', definition_version: 1 }];
  const other = { ...profile, traits: [{ ...trait, value: '"free"' }], consents: [], computed, events: 2 };
  expect(profileDifferences(profile, other)).toMatchObject([
    { path: 'computed.orders', values: [null, { value: '2', definition_version: 1 }] },
    { path: 'consents.ads', values: [{ state: 'granted' }, null] },
    { path: 'events', values: [1, 2] },
    { path: 'traits.plan', values: [{ value: '"pro"' }, { value: '"free"' }] },
  ]);
});

test('every part of the content is compared', () => {
  const isContent = (field: string): boolean =>
    ![
      'profile_id',
      'version',
      'changed',
      'causes',
      'why',
      'updated_at',
      'gone',
      'into',
      'definitions',
      'generation',
      'edition',
    ].includes(field);
  for (const field of Object.keys(profile).filter(isContent)) {
    const other = {
      ...profile,
      [field]: Array.isArray(profile[field as 'traits']) ? [{ name: 'x', purpose: 'x' }] : 'x',
    };
    expect(profileDifferences(profile, other).length, field).toBeGreaterThan(0);
  }
});

test('of a profile that is not there all is null', () => {
  expect(profileDifferences(undefined, profile)).toContainEqual({ path: 'events', values: [null, 1] });
});
