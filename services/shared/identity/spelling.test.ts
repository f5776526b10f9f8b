import fc from 'fast-check';
import { getCountries, getExampleNumber } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { describe, expect, test } from 'vitest';
import { phoneNumbersOf } from './phone-number.ts';
import { isSpellingOf, type Spelling, spellerOf } from './spelling.ts';

const speller = (spelling: Spelling, blocked: readonly string[] = [], country?: string) =>
  spellerOf(spelling, phoneNumbersOf(country), blocked);
const spellings = ['exact', 'lowercase', 'email', 'phone'] as const;
const exact = speller('exact');
const lowercase = speller('lowercase');
const email = speller('email');

describe('a value has one spelling', () => {
  test.each([
    ['exact', ' u1\t', 'u1'],
    ['exact', 42, '42'],
    ['exact', 'Ann', 'Ann'],
    ['exact', 'ﬁn', 'fin'],
    ['exact', 'a\u200b\u0301', 'á'],
    ['exact', 'a\u200bb\u0000c', 'abc'],
    ['exact', '100001', '100001'],
    ['lowercase', 'Ann', 'ann'],
    ['lowercase', 'H\u0331', '\u1e96'],
    ['email', ' Ann@Example.COM ', 'ann@example.com'],
    ['email', 'x@y.z', 'x@y.z'],
    ['phone', '+49 30 1234567', '+49301234567'],
    ['phone', '+49 (0)30 / 123-45.67', '+49301234567'],
    ['phone', '(+49) 30 1234567', '+49301234567'],
    ['phone', 'tel:+49-30-1234567', '+49301234567'],
    ['phone', '+４９ ３０ １２３４５６７', '+49301234567'],
    ['phone', '+٤٩٣٠١٢٣٤٥٦٧', '+49301234567'],
    ['phone', '\u202a+1 212 736\u2011 5000\u202c', '+12127365000'],
    ['phone', '+39 06 1234 5678', '+390612345678'],
  ] as const)('%s: %j is %s', (spelling, given, expected) => {
    expect(speller(spelling)(given)).toBe(expected);
  });

  test.each([
    ['DE', '030 1234567', '+49301234567'],
    ['DE', '0049 30 1234567', '+49301234567'],
    ['DE', '+1 212 736 5000', '+12127365000'],
    ['US', '(212) 736-5000', '+12127365000'],
    ['US', '011 49 30 1234567', '+49301234567'],
    ['US', 2127365000, '+12127365000'],
  ])('a number from %s: %j is %s', (country, given, expected) => {
    expect(speller('phone', [], country)(given)).toBe(expected);
  });

  const unseen = [
    0xad, 0x34f, 0x61c, 0x115f, 0x180e, 0x200b, 0x200e, 0x202e, 0x2066, 0x2069, 0x3164, 0xfe0f, 0xfeff, 0xe0020,
  ];
  test.each(unseen.map((code) => [code.toString(16), String.fromCodePoint(code)]))(
    'U+%s is not seen',
    (_, character) => {
      expect(exact(`a${character}nn${character}`)).toBe('ann');
      expect(email(`${character}ann@exam${character}ple.com`)).toBe('ann@example.com');
      expect(speller('phone')(`${character}+49${character}301234567`)).toBe('+49301234567');
    },
  );
});

describe('to spell again changes nothing', () => {
  const twice = (spelling: Spelling, value: string, country?: string): void => {
    const once = speller(spelling, [], country)(value);
    if (once === undefined) return;
    for (const again of [country, undefined, 'FR']) expect(speller(spelling, [], again)(once)).toBe(once);
  };

  test('of any text', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc
        .tuple(fc.string({ unit: 'binary', maxLength: 4 }), fc.string({ unit: 'grapheme', maxLength: 4 }))
        .map(([name, host]) => `${name}Ann@${host}x.co`),
    );
    fc.assert(
      fc.property(fc.constantFrom(...spellings), texts, (spelling, text) => twice(spelling, text, 'DE')),
      { numRuns: 2_000 },
    );
  });

  test('of every character, before and after others, alone and with a mark above and below', () => {
    for (let code = 0; code <= 0x1_ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const character = String.fromCodePoint(code);
      const value = `X${character}\u0331a${character}\u0301${character}`;
      for (const spell of [exact, lowercase]) {
        const once = spell(value);
        if (once !== undefined && spell(once) !== once) expect([code.toString(16), spell(once)]).toEqual([code, once]);
      }
    }
  });

  test('of a number of any country, however its people write it', () => {
    for (const country of getCountries()) {
      const example = getExampleNumber(country, examples);
      if (!example) continue;
      for (const text of [example.number, example.formatInternational(), example.formatNational(), example.getURI()])
        expect(speller('phone', [], country)(text), `${country} ${text}`).toBe(example.number);
      twice('phone', example.number, country);
      expect(isSpellingOf(example.number, example.formatNational()), country).toBe(true);
    }
  });

  test('of any digits', () => {
    const digits = fc.stringMatching(/^[+]?[1-9][0-9]{6,13}$/);
    fc.assert(
      fc.property(fc.constantFrom(...getCountries()), digits, (country, text) => twice('phone', text, country)),
      { numRuns: 5_000 },
    );
  });
});

describe('what nobody is called has no spelling', () => {
  test.each(
    [
      ['', ' ', 'null', 'Undefined', 'ANONYMOUS', 'guest', '[object Object]', 'NaN', '-1', '0', '0000', '---'],
      ['00000000-0000-0000-0000-000000000000', '111111', 'xxxxxxxx', 'xyxyxy', '\u200b', '\ud800', 'x'.repeat(2_000)],
      ['ab'.repeat(129), 'İ'.repeat(200)],
      [null, undefined, true, {}, ['u1'], 1.5, 2 ** 60, Number.NaN],
    ].flat(),
  )('%j', (value) => {
    for (const spelling of spellings) expect(speller(spelling, [], 'DE')(value)).toBeUndefined();
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
    expect(email(value)).toBeUndefined();
  });

  test.each([
    ['without a country', '030 1234567', undefined],
    ['that cannot be', '+49 900 123456789', undefined],
    ['of no country', '+999 123456789', undefined],
    ['too short', '+49 30', 'DE'],
    ['of an emergency', '112', 'DE'],
    ['behind which there are several', '+1 212 736 5000 ext. 12', undefined],
    ['behind which there are several', '+1 212 736 5000;ext=12', undefined],
    ['in letters', '1-800-FLOWERS', 'US'],
    ['two of them', '+49 30 1234567, +49 30 1234568', undefined],
    ['in a sentence', 'call +49 30 1234567', undefined],
    ['all the same', '99999 99999', 'IN'],
    ['all the same', '+91 99999 99999', undefined],
  ])('a phone number %s: %j', (_, value, country) => {
    expect(speller('phone', [], country)(value)).toBeUndefined();
  });

  test.each([
    ['exact', 'Kiosk', ['kiosk', 'KIOSK', 'Kiosk ']],
    ['lowercase', 'kiosk', ['kiosk', 'KIOSK']],
    ['email', 'All@Shop.example', ['all@shop.example']],
    ['phone', '030 1234567', ['+49 30 1234567', '030/1234567']],
  ] as const)('what is blocked, in every spelling: %s', (spelling, blocked, values) => {
    for (const value of values) {
      expect(speller(spelling, [], 'DE')(value)).toBeDefined();
      expect(speller(spelling, ['other', blocked], 'DE')(value)).toBeUndefined();
    }
  });
});

test.each([
  ['ann', 'Ann', true],
  ['Ann', ' Ann', true],
  ['Ann', 'ann', false],
  ['+49301234567', '030/1234567', true],
  ['+49301234567', '+49 30 1234567', true],
  ['+49301234567', '030/1234568', false],
  ['+49301234567', 'Ann', false],
  ['42', 42, true],
  ['42', {}, false],
])('%s is a spelling of %j: %s', (spelled, given, expected) => {
  expect(isSpellingOf(spelled, given)).toBe(expected);
});
