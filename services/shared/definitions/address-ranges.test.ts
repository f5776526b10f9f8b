import { describe, expect, test } from 'vitest';
import { addressRangeOf, withinRanges } from './address-ranges.ts';

describe('what is no range is found when it is defined', () => {
  test.each([
    '',
    '1.2.3',
    '1.2.3.4/33',
    '1.2.3.4/',
    '1.2.3.4/-1',
    '1.2.3.4/8/8',
    '::/129',
    'example.com',
    '1.2.3.4/1e1',
  ])('%s', (text) => {
    expect(addressRangeOf(text)).toBeUndefined();
  });
});

test.each([
  ['203.0.113.0/24', '203.0.113.255', true],
  ['203.0.113.0/24', '203.0.114.0', false],
  ['203.0.113.0/24', '::ffff:203.0.113.9', true],
  ['203.0.113.7', '203.0.113.7', true],
  ['203.0.113.7', '203.0.113.8', false],
  ['0.0.0.0/0', '198.51.100.1', true],
  ['2001:db8::/32', '2001:db8:ffff::1', true],
  ['2001:db8::/32', '2001:db9::1', false],
  ['2001:db8::/32', '203.0.113.7', false],
  ['203.0.113.0/24', 'unknown', false],
])('%s, %s: %s', (range, address, inside) => {
  expect(withinRanges(['192.0.2.1', range])(address)).toBe(inside);
});
