import { describe, expect, it } from 'vitest';
import type { Profile, Touch } from '#schemas/generated/records.ts';
import { addDigests, canonicalProfile, digestOf, formatDigest, subtractDigests } from './digest.ts';

const touch: Touch = {
  timestamp: 4,
  message_id: 'm0',
  source: 'web',
  referrer: 'https://search.example/',
  utm_source: 'search',
  utm_medium: 'organic',
  utm_campaign: null,
  utm_term: null,
  utm_content: null,
  utm_id: null,
};
const profile: Profile = {
  profile_id: '5f1c7c5e-0000-5000-8000-000000000001',
  kind: 'person',
  version: 3,
  identifiers: [{ type: 'user_id', value: 'u1', hash: '0'.repeat(32) }],
  traits: [{ name: 'plan', value: '"pro"', timestamp: 5, message_id: 'm1', source: 'web', sensitivity: 'none' }],
  trait_origins: [{ path: '/address/city', timestamp: 4, message_id: 'm0', source: 'crm' }],
  computed: [{ name: 'orders', value: '2', definition_version: 1 }],
  audiences: [{ audience: 'buyers', episode: 1, since: 4, definition_version: 1 }],
  consents: [{ purpose: 'email', state: 'granted', time: 3, source: 'web', policy_version: null }],
  events: 2,
  event_counts: [{ event: 'Order Completed', count: 2 }],
  revenue: [{ currency: 'USD', amount: '154' }],
  order_count: 2,
  products: [{ product: 'p1', currency: 'USD', name: 'Cup', quantity: '2', revenue: '154' }],
  first_touch: touch,
  last_touch: null,
  session_count: 1,
  session_ms: 4,
  first_session_at: 1,
  last_session_at: 1,
  last_session_until: 5,
  last_session_events: 2,
  groups: [{ group: 'acme', traits: '{}', timestamp: 4, source: 'crm' }],
  interactions: [
    { id: 'i1', state: 'open', channel: 'phone', direction: 'inbound', agent: 'a1', timestamp: 5, source: 'desk' },
  ],
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
  edition: 1,
};

describe('the digest of a profile', () => {
  it('is stable', () => {
    expect(canonicalProfile(profile)).toBe(
      '["5f1c7c5e-0000-5000-8000-000000000001","person",[["user_id","u1","00000000000000000000000000000000"]],' +
        '[["plan","\\"pro\\"",5,"m1","web","none"]],[["orders","2",1]],[["buyers",1,4,1]],' +
        '[["email","granted",3,"web",null]],2,[["Order Completed",2]],[["USD","154"]],["web"],1,5,[],false,null,' +
        '[["/address/city",4,"m0","crm"]],2,[["p1","USD","Cup","2","154"]],' +
        '[4,"m0","web","https://search.example/","search","organic",null,null,null,null],null,1,4,1,1,5,2,' +
        '[["acme","{}",4,"crm"]],[["i1","open","phone","inbound","a1",5,"desk"]]]',
    );
    expect(formatDigest(digestOf(profile))).toBe('568f58b747dd4c319d5ed8d00fdeed81');
  });

  const sameAs: Partial<Profile> = {
    version: 4,
    changed: [],
    causes: [],
    why: ['replay'],
    updated_at: 10,
    definitions: [{ definition: 'source/web', version: 2 }],
    generation: 2,
    edition: 2,
  };
  const differs: Partial<Profile> = {
    profile_id: 'other',
    kind: 'account',
    identifiers: [],
    traits: [],
    trait_origins: [],
    computed: [],
    audiences: [],
    consents: [],
    events: 3,
    event_counts: [],
    revenue: [{ currency: 'USD', amount: '154.000001' }],
    order_count: 3,
    products: [],
    first_touch: { ...touch, utm_id: '' },
    last_touch: touch,
    session_count: 2,
    session_ms: 5,
    first_session_at: null,
    last_session_at: 2,
    last_session_until: 6,
    last_session_events: 3,
    groups: [],
    interactions: [],
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
