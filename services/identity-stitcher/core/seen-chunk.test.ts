import fc from 'fast-check';
import { expect, test } from 'vitest';
import { messageIdHash } from './message-id.ts';
import { chunkKey, encodeChunk, HOUR, hourOf, hourOfChunk, idsOfChunk, receivedTimeIn } from './seen-chunk.ts';

test('a chunk gives back every id with its received time, and no other id', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(), { maxLength: 50 }),
      fc.nat({ max: 1e6 }),
      fc.nat(),
      (numbers, hour, stranger) => {
        const entries = numbers.map((n, offset) => ({
          id: messageIdHash('web', String(n)),
          receivedAt: hour * HOUR + (n % HOUR),
          offset,
        }));
        const chunk = encodeChunk(hour, entries);
        expect(idsOfChunk(chunk)).toEqual(entries.map(({ id }) => id));
        for (const { id, receivedAt } of entries) expect(receivedTimeIn(chunk, id)).toBe(receivedAt);
        expect(receivedTimeIn(chunk, messageIdHash('app', String(stranger)))).toBeUndefined();
      },
    ),
  );
});

test('an id that stands across two entries is not found', () => {
  const chunk = encodeChunk(0, [
    { id: `${'00'.repeat(15)}ab`, receivedAt: 0, offset: 0 },
    { id: '00'.repeat(16), receivedAt: 0, offset: 1 },
  ]);
  expect(receivedTimeIn(chunk, `ab${'00'.repeat(15)}`)).toBeUndefined();
});

test('keys sort by hour, then offset, and give the hour back', () => {
  const keys = [chunkKey(9, 5), chunkKey(10, 4), chunkKey(10, 30), chunkKey(500_000, 1)];
  expect([...keys].sort()).toEqual(keys);
  expect(keys.map(hourOfChunk)).toEqual([9, 10, 10, 500_000]);
  expect(hourOf(HOUR - 1)).toBe(0);
  expect(hourOf(HOUR)).toBe(1);
});
