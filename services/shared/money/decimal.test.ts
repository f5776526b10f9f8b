import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMicros, parseMicros } from './decimal.ts';

describe('amounts both ways', () => {
  const table: readonly (readonly [json: string, micros: bigint, text: string])[] = [
    ['0', 0n, '0'],
    ['-0', 0n, '0'],
    ['-0.0', 0n, '0'],
    ['77', 77_000_000n, '77'],
    ['77.00', 77_000_000n, '77'],
    ['"77.00"', 77_000_000n, '77'],
    ['" 19.90 "', 19_900_000n, '19.9'],
    ['"+5"', 5_000_000n, '5'],
    ['"007.5"', 7_500_000n, '7.5'],
    ['1e2', 100_000_000n, '100'],
    ['1.5E+3', 1_500_000_000n, '1500'],
    ['25e-1', 2_500_000n, '2.5'],
    ['-0.05', -50_000n, '-0.05'],
    ['0.000001', 1n, '0.000001'],
    ['0.1', 100_000n, '0.1'],
    ['2500315.63', 2_500_315_630_000n, '2500315.63'],
    ['999999999999999999.999999', 999_999_999_999_999_999_999_999n, '999999999999999999.999999'],
    ['0e40', 0n, '0'],
    ['0.0000005', 0n, '0'],
    ['0.00000050000000000000000000000000000001', 1n, '0.000001'],
    ['0.0000015', 2n, '0.000002'],
    ['0.0000025', 2n, '0.000002'],
    ['0.0000035', 4n, '0.000004'],
    ['-0.0000015', -2n, '-0.000002'],
    ['1e-40', 0n, '0'],
    ['5e-7', 0n, '0'],
    ['15e-7', 2n, '0.000002'],
    ['9.9999995', 10_000_000n, '10'],
  ];
  for (const [json, micros, text] of table) {
    it(`${json} is ${text}`, () => {
      expect(parseMicros(json)).toBe(micros);
      expect(formatMicros(micros)).toBe(text);
    });
  }
});

describe('what is not an amount', () => {
  const odd = [
    '',
    '"',
    '""',
    '" "',
    'null',
    'true',
    '{}',
    '[1]',
    '"1,234.50"',
    '"1.234,50"',
    '"12,5"',
    '"$77.00"',
    '"77 EUR"',
    '"0x10"',
    '"1_000"',
    '"Infinity"',
    '"NaN"',
    '"."',
    '".5"',
    '"5."',
    '"--1"',
    '"1e"',
    '"\\u0037"',
    '"٣"',
    '1000000000000000000',
    '1e18',
    '1e400',
    '1e-400',
    '1e99999999999',
    `1.${'0'.repeat(100)}1`,
  ];
  for (const json of odd) it(`${json.slice(0, 30)} is undefined`, () => expect(parseMicros(json)).toBeUndefined());
});

describe('for any input', () => {
  const bound = 10n ** 24n - 1n;
  const micros = fc.bigInt({ min: -bound, max: bound });

  it('what is written is read back', () => {
    fc.assert(
      fc.property(micros, (value) => {
        expect(parseMicros(formatMicros(value))).toBe(value);
        expect(parseMicros(`"${formatMicros(value)}"`)).toBe(value);
      }),
    );
  });

  it('the text is the shortest: no zero could be left out, no exponent', () => {
    fc.assert(
      fc.property(micros, (value) => {
        expect(formatMicros(value)).toMatch(/^(0|-?(0|[1-9]\d*)(\.\d*[1-9])?)$/);
      }),
    );
  });

  it('no text throws, and what is read is bounded', () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.double().map(String),
      fc.string({ unit: fc.constantFrom(...'0123456789.eE+-" ') }),
    );
    fc.assert(
      fc.property(text, (json) => {
        const value = parseMicros(json);
        if (value !== undefined) expect(value <= 10n ** 24n && value >= -(10n ** 24n)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('rounding is off by half a micro at most', () => {
    const places = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 12n }), places, (whole, fraction) => {
        const read = parseMicros(`${whole}.${fraction}`) as bigint;
        const exact = BigInt(`${whole}${fraction.padEnd(20, '0')}`);
        const error = read * 10n ** 14n - exact;
        expect(error <= 5n * 10n ** 13n && error >= -5n * 10n ** 13n).toBe(true);
      }),
    );
  });
});
