import { expect, test } from 'vitest';
import { MOST_ROW_BYTES, rowAt } from './row-at.ts';

const COMMA = 44;
const row = (text: string) => rowAt(Buffer.from(text), 0, COMMA);

test.each([
  ['a,b\nc', { end: 3, next: 4, ended: true }],
  ['a,b\r\nc', { end: 3, next: 5, ended: true }],
  ['a,b', { end: 3, next: 3, ended: false }],
  ['\n', { end: 0, next: 1, ended: true }],
  ['a,"b\n""c"\nd', { end: 9, next: 10, ended: true }],
  ['a,b"\n"c"', { end: 4, next: 5, ended: true }],
  ['a,"b\nc', { end: 4, next: 5, ended: true, fault: 'wrong_quotes' }],
  ['', { end: 0, next: 0, ended: false }],
  ['a,"b"\r', { end: 5, next: 6, ended: false }],
  ['a,"b\n"c,d\n', { end: 4, next: 5, ended: true, fault: 'wrong_quotes' }],
])('%j', (text, expected) => {
  expect(row(text)).toEqual(expected);
});

test('without a delimiter a line is a row', () => {
  expect(rowAt(Buffer.from('{"a":"\n'), 0, undefined)).toEqual({ end: 6, next: 7, ended: true });
});

test('a line that is too long is told of before its end is there', () => {
  const text = 'x'.repeat(MOST_ROW_BYTES + 2);
  expect(row(text)).toEqual({ end: text.length, next: text.length, fault: 'too_large', ended: false });
  expect(row(`${text}\n`)).toMatchObject({ next: text.length + 1, fault: 'too_large', ended: true });
});
