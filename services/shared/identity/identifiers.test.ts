import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { defaultIdentityRules } from './default-rules.ts';
import { hashingWith } from './hashing.ts';
import { type IdentifyingFields, identifiersOf, spellingsAskedFor } from './identifiers.ts';
import type { NamingRules } from './plan.ts';

const hashing = hashingWith(Buffer.from('a secret of this installation, 32+'));
const named = (event: IdentifyingFields, rules: NamingRules = defaultIdentityRules): string[] =>
  identifiersOf(event, rules, hashing).map(({ type, value }) => `${type}=${value}`);
type Given = z.input<(typeof definitionKinds)['identity_rules']>;
const rulesOf = (types: Given['types'], more: Omit<Given, 'types'> = {}): NamingRules =>
  definitionKinds.identity_rules.parse({ types, ...more });

describe('identifiers of an event', () => {
  test('come in the order of the rules, each once, with their hashes', () => {
    const event = {
      type: 'identify',
      anonymousId: 'a1',
      userId: 'u1',
      traits: { email: 'A@b.co' },
      context: {
        device: { id: 'd1' },
        externalIds: [
          { id: 'c1', type: 'crm', collection: 'users', encoding: 'none' },
          { id: 'c1', type: 'crm' },
          { id: 'abc', type: 'ga', encoding: 'sha256' },
          null,
          { id: 'typeless' },
        ],
      },
    };
    expect(named(event)).toEqual([
      'user_id=u1',
      'email=a@b.co',
      'external_id:crm=c1',
      'anonymous_id=a1',
      'device_id=d1',
    ]);
    expect(identifiersOf(event, defaultIdentityRules, hashing)[0]?.hash).toBe(hashing.hash('user_id', 'u1'));
    const reversed = { ...defaultIdentityRules, types: [...defaultIdentityRules.types].reverse() };
    expect(named(event, reversed)[0]).toBe('device_id=d1');
  });

  test('an external id has a type that can be asked for: without another colon', () => {
    const context = { externalIds: [{ id: 'a:b', type: 'shopify:customer' }] };
    expect(named({ context })).toEqual(['external_id:shopify_customer=a:b']);
  });

  test('what the rules block identifies nobody', () => {
    const event = { userId: 'kiosk', anonymousId: 'a1' };
    expect(named(event, { ...defaultIdentityRules, blockedValues: ['Kiosk'] })).toEqual(['anonymous_id=a1']);
  });

  test('are only those that the rules name', () => {
    const types = defaultIdentityRules.types.filter(({ type }) => type === 'email');
    expect(named({ userId: 'u1', traits: { email: 'a@b.co' } }, { ...defaultIdentityRules, types })).toEqual([
      'email=a@b.co',
    ]);
  });

  test.each([
    ['traits win', { traits: { email: 'a@b.co' }, context: { traits: { email: 'c@d.ef' } } }, ['email=a@b.co']],
    ['else context.traits', { traits: { email: 'junk' }, context: { traits: { email: 'c@d.ef' } } }, ['email=c@d.ef']],
    ['the traits of a group are not the person’s', { type: 'group', traits: { email: 'a@b.co' } }, []],
    ['empty and null ids are absent', { userId: '', anonymousId: null }, []],
    ['shapes that are none of ours', { traits: 'x', context: [1], userId: {} }, []],
  ])('e-mail and absence: %s', (_, event, expected) => {
    expect(named(event)).toEqual(expected);
  });

  test.each([
    ['a former user id', { previousId: 'old', userId: 'new' }, ['user_id=new', 'user_id=old']],
    [
      'a UUID',
      { previousId: '84469a7b-c970-457a-89cf-ac1caf065e83', userId: 'u' },
      ['user_id=u', 'anonymous_id=84469a7b-c970-457a-89cf-ac1caf065e83'],
    ],
    [
      'the event’s anonymous id',
      { previousId: 'anon', anonymousId: 'anon', userId: 'u' },
      ['user_id=u', 'anonymous_id=anon'],
    ],
  ])('an alias has two: %s', (_, event, expected) => {
    expect(named({ type: 'alias', ...event })).toEqual(expected);
  });

  test('the previous id counts only in an alias call', () => {
    expect(named({ type: 'track', previousId: 'old', userId: 'u' })).toEqual(['user_id=u']);
  });

  test('are ten at most, and nothing that JSON can hold breaks it', () => {
    const many = Array.from({ length: 50 }, (_, n) => ({ id: `id${n}`, type: `t${n}` }));
    expect(named({ userId: 'u1', context: { externalIds: many } })).toHaveLength(10);
    const arbitrary = fc.record({
      type: fc.constantFrom('identify', 'alias', 'group'),
      userId: fc.jsonValue(),
      anonymousId: fc.jsonValue(),
      previousId: fc.jsonValue(),
      groupId: fc.jsonValue(),
      traits: fc.jsonValue(),
      properties: fc.jsonValue(),
      context: fc.jsonValue(),
    });
    const places = ['userId', 'properties.a.b', 'context.traits.a', 'traits.__proto__.b', 'context.constructor.name'];
    const rules = rulesOf([
      { type: 'user_id' },
      ...(['exact', 'lowercase', 'email', 'phone'] as const).map((spelling) => ({
        type: spelling,
        spelling,
        from: places,
      })),
      { type: 'external_id' },
    ]);
    fc.assert(fc.property(arbitrary, (event) => void [...named(event), ...named(event, rules)]));
  });
});

describe('types of the rules', () => {
  const card = (more: Partial<Given['types'][number]> = {}) =>
    rulesOf([{ type: 'user_id' }, { type: 'card', ...more }]);

  test.each([
    ['in traits', { traits: { card: 'C-1' } }, ['card=C-1']],
    ['in context.traits', { context: { traits: { card: 'C-1' } } }, ['card=C-1']],
    ['in properties', { properties: { card: 'C-1' } }, ['card=C-1']],
    ['the first that is usable', { traits: { card: 'null' }, properties: { card: 'C-1' } }, ['card=C-1']],
    [
      'not in the traits of a group',
      { type: 'group', traits: { card: 'C-1' }, properties: { card: 'C-2' } },
      ['card=C-2'],
    ],
    ['not in what an object inherits', { properties: Object.create({ card: 'C-1' }) as object }, []],
    ['not in lists', { properties: [{ card: 'C-1' }], traits: { card: ['C-1'] } }, []],
  ])('a type of one’s own stands %s', (_, event, expected) => {
    expect(named(event, card())).toEqual(expected);
  });

  test('stand where the rules say, and nowhere else', () => {
    const rules = card({ from: ['properties.loyalty.card', 'userId'], spelling: 'lowercase' });
    expect(named({ properties: { loyalty: { card: 'C-1' } }, traits: { card: 'C-2' } }, rules)).toEqual(['card=c-1']);
    expect(named({ properties: { loyalty: 'C-1' }, userId: 'U-1' }, rules)).toEqual(['user_id=U-1', 'card=u-1']);
  });

  test.each([
    ['constructor.name', { constructor: { name: 'C-1' } }],
    ['__proto__.card', JSON.parse('{"__proto__": {"card": "C-1"}}')],
    ['hasOwnProperty', { hasOwnProperty: 'C-1' }],
    ['a.b.c.d.e.f', { a: { b: { c: { d: { e: { f: 'C-1' } } } } } }],
    ['$id-1._x', { '$id-1': { _x: 'C-1' } }],
  ])('the path properties.%s leads to what the event itself has there, and to nothing else', (path, properties) => {
    const rules = card({ from: [`properties.${path}`] });
    expect(named({ properties }, rules)).toEqual(['card=C-1']);
    for (const other of [{}, null, [], 'C-1', { a: null }, { a: { b: [] } }])
      expect(named({ properties: other }, rules)).toEqual([]);
  });

  test('a number that JavaScript cannot hold is asked for as it was written', () => {
    const event = { properties: { card: 2 ** 60 }, context: { traits: { card: 2 ** 61 } } };
    const rules = card({ from: ['context.traits.card', 'properties.card'] });
    const values = (written: (place: readonly string[]) => string | undefined) =>
      identifiersOf(event, rules, hashing, written).map(({ value }) => value);
    expect(values(() => undefined)).toEqual([]);
    expect(values((place) => (place[0] === 'properties' ? '1152921504606846976' : undefined))).toEqual([
      '1152921504606846976',
    ]);
  });

  test('a phone number is the trait, else that of the context; without a code it needs a country', () => {
    const event = { traits: { phone: '030 1234567' }, context: { traits: { phone: '+49 171 1234567' } } };
    expect(named(event)).toEqual(['phone=+491711234567']);
    expect(named(event, { ...defaultIdentityRules, phoneCountry: 'DE' })).toEqual(['phone=+49301234567']);
  });

  test('a group identifies nobody, unless the rules say where it stands', () => {
    const event = { type: 'group', groupId: 'G-1', properties: { group_id: 'G-2' }, userId: 'u1' };
    expect(named(event)).toEqual(['user_id=u1']);
    expect(named(event, rulesOf([{ type: 'user_id' }, { type: 'group_id', from: ['groupId'] }]))).toEqual([
      'user_id=u1',
      'group_id=G-1',
    ]);
  });

  test('one kind of external ids may have a place, a spelling and other places of its own', () => {
    const rules = rulesOf([
      { type: 'external_id:crm', spelling: 'lowercase', from: ['properties.crm'] },
      { type: 'user_id' },
      { type: 'external_id' },
    ]);
    const externalIds = [
      { id: 'S-1', type: 'shop' },
      { id: 'C-1', type: 'crm' },
    ];
    expect(named({ userId: 'u1', properties: { crm: 'C-2' }, context: { externalIds } }, rules)).toEqual([
      'external_id:crm=c-2',
      'external_id:crm=c-1',
      'user_id=u1',
      'external_id:shop=S-1',
    ]);
  });

  test('come in the order of the rules, whatever it is', () => {
    const event = {
      userId: 'u1',
      anonymousId: 'a1',
      traits: { email: 'a@b.co', phone: '+49 30 1234567', card: 'C-1' },
      context: { device: { id: 'd1' }, externalIds: [{ id: 'c1', type: 'crm' }] },
    };
    const types = ['user_id', 'email', 'phone', 'card', 'external_id', 'anonymous_id', 'device_id'];
    fc.assert(
      fc.property(fc.shuffledSubarray(types, { minLength: 1 }), (order) => {
        const rules = rulesOf(order.map((type) => ({ type })));
        expect(identifiersOf(event, rules, hashing).map(({ type }) => type.split(':', 1)[0])).toEqual(order);
      }),
    );
  });
});

describe('what somebody asks for', () => {
  const rules = rulesOf([{ type: 'user_id', spelling: 'lowercase' }, { type: 'phone' }, { type: 'external_id' }], {
    phoneCountry: 'DE',
    blockedValues: ['kiosk'],
  });

  test.each([
    ['user_id', ' Ann ', { inForce: 'ann', exact: 'Ann' }],
    ['user_id', 'Kiosk', { inForce: 'kiosk', exact: 'Kiosk' }],
    ['user_id', 'null', { inForce: undefined, exact: undefined }],
    ['phone', '030/1234567', { inForce: '+49301234567', exact: '030/1234567' }],
    ['phone', 'Ann', { inForce: undefined, exact: 'Ann' }],
    ['email', 'Ann@B.co', { inForce: 'ann@b.co', exact: 'Ann@B.co' }],
    ['external_id:crm', 'C-1', { inForce: 'C-1', exact: 'C-1' }],
  ])('%s %j is spelled as in events', (type, value, expected) => {
    expect(spellingsAskedFor(type, value, rules)).toEqual(expected);
  });

  test('is spelled as an event’s own', () => {
    const values = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('030 1234567', '+1 212 736 5000', 'A@B.co'));
    fc.assert(
      fc.property(fc.constantFrom('user_id', 'phone', 'email'), values, (type, value) => {
        const from = ['properties.value'];
        const [found] = identifiersOf(
          { properties: { value } },
          rulesOf([{ type, from }], { phoneCountry: 'DE' }),
          hashing,
        );
        const asked = spellingsAskedFor(type, value, rulesOf([{ type }], { phoneCountry: 'DE' }));
        expect(asked.inForce).toBe(found?.value);
      }),
    );
  });
});

test('what has to do with linking decides nothing about which identifiers an event has, and which is the first', () => {
  const types = defaultIdentityRules.types.map((one) => ({ ...one }));
  const linking = fc.record({
    limits: fc.array(fc.integer({ min: 1, max: 50 }), { minLength: types.length, maxLength: types.length }),
    limitDays: fc.option(fc.integer({ min: 1, max: 365 }), { nil: undefined }),
    links: fc.constantFrom('strong', 'weak', 'lookup'),
    whenShared: fc.constantFrom('owner', 'device'),
    sharedFrom: fc.integer({ min: 2, max: 100 }),
    mostIdentifiers: fc.integer({ min: 2, max: 2_000 }),
    perHour: fc.integer({ min: 2, max: 100 }),
  });
  const id = fc.constantFrom('u1', 'A@b.co', '+49 30 1234567', 'null', '');
  const events = fc.record({
    type: fc.constantFrom('track', 'identify', 'alias', 'group'),
    userId: id,
    anonymousId: id,
    previousId: id,
    traits: fc.record({ email: id, phone: id }),
    context: fc.record({
      device: fc.record({ id }),
      externalIds: fc.array(fc.record({ id, type: fc.constant('crm') })),
    }),
  });
  fc.assert(
    fc.property(linking, events, (drawn, event) => {
      const { limits, limitDays, links, whenShared, sharedFrom, mostIdentifiers, perHour } = drawn;
      const given = types.map((one, i) => ({ ...one, limit: limits[i], limitDays, links, whenShared }));
      const more = { sharedFrom, mostIdentifiers, quarantine: { perHour } };
      const others = definitionKinds.identity_rules.parse({ types: given, ...more });
      expect(identifiersOf(event, others, hashing)).toEqual(identifiersOf(event, defaultIdentityRules, hashing));
    }),
  );
});
