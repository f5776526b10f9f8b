import { expect, test } from 'vitest';
import type { IdentityChange, Profile } from '#schemas/generated/records.ts';
import { changedProfile, decided } from './passing.ts';

const identifier = { type: 'email', value: 'somebody@example.com', hash: 'h1' };
const change = {
  kind: 'moved',
  profile_id: 'p1',
  to_profile_id: 'p2',
  identifier,
  other: { type: 'user_id', value: 'customer-7', hash: 'h2' },
  reason: 'linked',
  decided_at: 0,
} as unknown as IdentityChange;

test('who watches is told what moved and why, but not who it is', () => {
  expect(decided(change)).toEqual({
    what: 'moved',
    decided_at: '1970-01-01T00:00:00.000Z',
    profile_id: 'p1',
    to_profile_id: 'p2',
    identifier: 'email:s…@example.com',
    other: 'user_id:c…7',
    reason: 'linked',
  });
  expect(decided({ ...change, kind: 'discovered' })).toBeUndefined();
});

test('of a profile is told what changed, and nothing of what it says', () => {
  const profile = {
    profile_id: 'p1',
    version: 2,
    identifiers: [identifier],
    traits: [{ name: 'email', value: '"somebody@example.com"' }],
    changed: ['traits'],
    why: ['event'],
    causes: ['m1'],
    updated_at: 0,
    gone: false,
    into: null,
    events: 3,
  } as unknown as Profile;
  expect(changedProfile(profile)).toMatchObject({ version: 2, identifiers: 1, events: 3, changed: ['traits'] });
  expect(JSON.stringify(changedProfile(profile))).not.toContain('somebody');
});
