import { expect, test } from 'vitest';
import { cursorOf, placeIn } from './cursor.ts';

test.each([
  ['events', [1_700_000_000_000, 'web', 'm "1" ü', '0'.repeat(32)]],
  ['events', [0, '', '', '']],
  ['history', [7, [1_700_000_000_000, 5, 0, 99]]],
  ['history', [0, null]],
] as const)('a place in %s comes back as it was: %j', (list, place) => {
  const cursor = cursorOf(place as never);
  expect(cursor).toMatch(/^[\w-]+$/);
  expect(placeIn(list, cursor)).toEqual(place);
});

test.each([
  ['events', ''],
  ['events', 'junk'],
  ['events', cursorOf([7, null])],
  ['history', cursorOf([7, 'web', 'm1', 'h'])],
  ['history', Buffer.from('[-1,null]').toString('base64url')],
  ['history', Buffer.from('[1.5,null]').toString('base64url')],
] as const)('is no cursor of %s: %j', (list, text) => {
  expect(placeIn(list, text)).toBeUndefined();
});
