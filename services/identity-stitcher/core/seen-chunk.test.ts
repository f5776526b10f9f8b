import fc from 'fast-check';
import { expect, test } from 'vitest';
import { messageIdHash } from './message-id.ts';
import { chunkKey, extended, idsOfChunk, type SeenEntry } from './seen-chunk.ts';

const HOUR = 3_600_000;
const entry = (id: string, receivedAt: number, offset: number): SeenEntry => ({ id, receivedAt, offset });

test('a chunk gives back every id that it was extended by, in order', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.nat(), { minLength: 1, maxLength: 20 })), fc.nat({ max: 1e6 }), (parts, hour) => {
      const ids = parts.map((part) => part.map((n) => messageIdHash('web', String(n))));
      let chunk: ReturnType<typeof extended> | undefined;
      for (const part of ids) {
        chunk = extended(
          chunk,
          part.map((id, n) => entry(id, hour * HOUR + (n % HOUR), n)),
        );
        expect(chunk.bucket).toBe(hour * HOUR);
      }
      expect(chunk ? idsOfChunk(chunk) : []).toEqual(ids.flat());
    }),
  );
});

test('neighbours in the log that were received in the same hour share a chunk', () => {
  const key = (receivedAt: number, offset: number): string => chunkKey(entry('', receivedAt, offset));
  expect(key(HOUR, 64)).toBe('00000001/0000000000000064');
  expect(key(2 * HOUR - 1, 95)).toBe(key(HOUR, 64));
  expect(key(2 * HOUR, 95)).not.toBe(key(HOUR, 64));
  expect(key(HOUR, 96)).not.toBe(key(HOUR, 64));
});
