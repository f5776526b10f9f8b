import { describe, expect, it } from 'vitest';
import type { Profile } from '#schemas/generated/records.ts';
import { addDigests, canonicalProfile, digestOf, formatDigest, subtractDigests } from './digest.ts';

const profile: Profile = {
  profile_id: '5f1c7c5e-0000-5000-8000-000000000001',
  kind: 'person',
  version: 3,
  identifiers: [{ type: 'user_id', value: 'u1', hash: '0'.repeat(32) }],
  traits: [{ name: 'plan', value: '"pro"', timestamp: 5, message_id: 'm1', source: 'web', sensitivity: 'none' }],
  computed: [{ name: 'orders', value: '2', definition_version: 1 }],
  audiences: [{ audience: 'buyers', episode: 1, since: 4, definition_version: 1 }],
  consents: [{ purpose: 'email', state: 'granted', time: 3, source: 'web', policy_version: null }],
  events: 2,
  event_counts: [{ event: 'Order Completed', count: 2 }],
  revenue: [{ currency: 'USD', amount: '154' }],
  sources: ['web'],
  first_seen: 1,
  last_seen: 5,
  flags: [],
  changed: ['traits'],
  causes: ['m1'],
  why: ['event'],
  updated_at: 9,
  gone: false,
  into: null,
  definitions: [],
  generation: 1,
};

describe('the digest of a profile', () => {
  it('is stable', () => {
    expect(canonicalProfile(profile)).toBe(
      '["5f1c7c5e-0000-5000-8000-000000000001","person",[["user_id","u1","00000000000000000000000000000000"]],' +
        '[["plan","\\"pro\\"",5,"m1","web","none"]],[["orders","2",1]],[["buyers",1,4,1]],' +
        '[["email","granted",3,"web",null]],2,[["Order Completed",2]],[["USD","154"]],["web"],1,5,[],false,null]',
    );
    expect(formatDigest(digestOf(profile))).toBe('978678c9cf63758ba8e8d430af0eb113');
  });

  const sameAs: Partial<Profile> = {
    version: 4,
    changed: [],
    causes: [],
    why: ['replay'],
    updated_at: 10,
    definitions: [{ definition: 'source/web', version: 2 }],
    generation: 2,
  };
  const differs: Partial<Profile> = {
    profile_id: 'other',
    kind: 'account',
    identifiers: [],
    traits: [],
    computed: [],
    audiences: [],
    consents: [],
    events: 3,
    event_counts: [],
    revenue: [{ currency: 'USD', amount: '154.000001' }],
    sources: [],
    first_seen: null,
    last_seen: 6,
    flags: ['traits_cut'],
    gone: true,
    into: 'other',
  };

  for (const [field, value] of Object.entries(sameAs)) {
    it(`does not depend on ${field}`, () => expect(digestOf({ ...profile, [field]: value })).toBe(digestOf(profile)));
  }
  for (const [field, value] of Object.entries(differs)) {
    it(`depends on ${field}`, () => expect(digestOf({ ...profile, [field]: value })).not.toBe(digestOf(profile)));
  }
  it('every field is one or the other', () => {
    expect([...Object.keys(sameAs), ...Object.keys(differs)].sort()).toEqual(Object.keys(profile).sort());
  });
  it('does not depend on the order in which a decoder puts the fields', () => {
    const reversed = Object.fromEntries(Object.entries(profile).reverse()) as unknown as Profile;
    expect(digestOf(reversed)).toBe(digestOf(profile));
  });
});

describe('the digest of many', () => {
  const largest = (1n << 128n) - 1n;
  const table: readonly (readonly [a: bigint, b: bigint, sum: bigint])[] = [
    [0n, 0n, 0n],
    [0n, 7n, 7n],
    [1n, 2n, 3n],
    [largest, 1n, 0n],
    [largest, largest, largest - 1n],
  ];
  for (const [a, b, sum] of table) {
    it(`${formatDigest(a)} and ${formatDigest(b)}: ${formatDigest(sum)}`, () => {
      expect(addDigests(a, b)).toBe(sum);
      expect(addDigests(b, a)).toBe(sum);
      expect(subtractDigests(sum, b)).toBe(a);
    });
  }
});
