import { expect, test } from 'vitest';
import { writeKeyOf } from './write-key.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const all = { authorization: basic('A:'), header: 'B', body: 'C', query: 'D' };

test.each([
  [all, 'A'],
  [{ ...all, authorization: basic('A') }, 'A'],
  [{ ...all, authorization: basic('A:pass') }, 'A'],
  [{ ...all, authorization: 'basic QTo=' }, 'A'],
  [{ ...all, authorization: basic(':') }, 'B'],
  [{ ...all, authorization: 'Bearer x' }, 'B'],
  [{ ...all, authorization: undefined, header: '' }, 'C'],
  [{ authorization: undefined, header: undefined, body: { no: 'key' }, query: 'D' }, 'D'],
  [{ authorization: 'Basic', header: undefined, body: '', query: '' }, undefined],
])('%j: %s', (places, expected) => {
  expect(writeKeyOf(places)).toBe(expected);
});
