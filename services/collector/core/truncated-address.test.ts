import { expect, test } from 'vitest';
import { truncatedAddress } from './truncated-address.ts';

test.each([
  ['203.0.113.195', '203.0.113.0'],
  ['::ffff:203.0.113.195', '203.0.113.0'],
  ['2001:db8:85a3:8d3:1319:8a2e:370:7348', '2001:db8:85a3::'],
  ['2001:0DB8:0000:1::7', '2001:db8::'],
  ['2001:db8::7', '2001:db8::'],
  ['fe80::1', 'fe80::'],
  ['::1', '::'],
  ['::', '::'],
  ['unknown', null],
  ['203.0.113.195:443', null],
  ['1:2:3', null],
  ['203.0.113', null],
  ['', null],
])('%s: %s', (address, expected) => {
  expect(truncatedAddress(address)).toBe(expected);
});
