import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultIdentityRules } from './default-rules.ts';
import { hashingWith } from './hashing.ts';
import { type IdentifyingFields, identifiersOf, normalise } from './identifiers.ts';

const hashing = hashingWith(Buffer.from('a secret of this installation, 32+'));
const named = (event: IdentifyingFields, rules = defaultIdentityRules): string[] =>
  identifiersOf(event, rules, hashing).map(({ type, value }) => `${type}=${value}`);

describe('a value has one spelling', () => {
  test.each([
    ['user_id', ' u1\t', 'u1'],
    ['user_id', 42, '42'],
    ['user_id', 'Ann', 'Ann'],
    ['user_id', 'ﬁn', 'fin'],
    ['user_id', 'a\u200b\u0301', 'á'],
    ['user_id', 'a\u200bb\u0000c', 'abc'],
    ['email', ' Ann@Example.COM ', 'ann@example.com'],
    ['email', 'x@y.z', 'x@y.z'],
    ['user_id', '100001', '100001'],
    ['user_id', 'u1', 'u1'],
  ])('%s %j is %s', (type, given, expected) => {
    expect(normalise(type, given)).toBe(expected);
  });

  const unseen = [
    0xad, 0x34f, 0x61c, 0x115f, 0x180e, 0x200b, 0x200e, 0x202e, 0x2066, 0x2069, 0x3164, 0xfe0f, 0xfeff, 0xe0020,
  ];
  test.each(unseen.map((code) => [code.toString(16), String.fromCodePoint(code)]))(
    'U+%s is not seen',
    (_, character) => {
      expect(normalise('user_id', `a${character}nn${character}`)).toBe('ann');
      expect(normalise('email', `${character}ann@exam${character}ple.com`)).toBe('ann@example.com');
    },
  );

  test('to normalise again changes nothing', () => {
    fc.assert(
      fc.property(fc.constantFrom('user_id', 'email'), fc.string({ unit: 'binary' }), (type, value) => {
        const once = normalise(type, value);
        if (once !== undefined) expect(normalise(type, once)).toBe(once);
      }),
    );
  });
});

describe('what nobody is called is no identifier', () => {
  test.each(
    [
      ['', ' ', 'null', 'Undefined', 'ANONYMOUS', 'guest', '[object Object]', 'NaN', '-1', '0', '0000', '---'],
      ['00000000-0000-0000-0000-000000000000', '111111', 'xxxxxxxx', 'xyxyxy', '\u200b', '\ud800', 'x'.repeat(2_000)],
      [null, undefined, true, {}, ['u1'], 1.5, 2 ** 60, Number.NaN],
    ].flat(),
  )('%j', (value) => {
    expect(normalise('user_id', value)).toBeUndefined();
  });

  test.each([
    'ann',
    '@b.c',
    'a@b',
    'a b@c.d',
    'a@b..c',
    'info@example.com',
    'NoReply@example.com',
    'a@b.c, d@e.f',
    'a@b.co,',
    'a@b.co;',
    'a@b.co>',
    'a@b.co)',
    'a@<b.co',
    'a@b.c"o',
  ])('e-mail %j', (value) => {
    expect(normalise('email', value)).toBeUndefined();
  });

  test('what the rules block', () => {
    expect(normalise('user_id', 'Kiosk', ['kiosk'])).toBeUndefined();
    expect(
      named({ userId: 'kiosk', anonymousId: 'a1' }, { ...defaultIdentityRules, blockedValues: ['kiosk'] }),
    ).toEqual(['anonymous_id=a1']);
  });
});

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
      traits: fc.jsonValue(),
      context: fc.jsonValue(),
    });
    fc.assert(fc.property(arbitrary, (event) => void named(event)));
  });
});
