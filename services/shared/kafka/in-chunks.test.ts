import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inChunks, type OutRecord } from './in-chunks.ts';

const record = (topic: string, partition: number, size: number, key: string): OutRecord => ({
  topic,
  partition,
  key,
  value: Buffer.alloc(size),
  timestamp: 0,
});

describe('sends', () => {
  const records = fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.nat(2), fc.nat(600)), { maxLength: 200 });

  test('never hold more for a partition than the limit, unless one record alone does', () => {
    fc.assert(
      fc.property(records, (list) => {
        for (const chunk of inChunks(
          list.map(([topic, partition, size], i) => record(topic, partition, size, String(i))),
          1_000,
        )) {
          for (const place of new Set(chunk.map(({ topic, partition }) => `${topic}/${partition}`))) {
            const mine = chunk.filter(({ topic, partition }) => `${topic}/${partition}` === place);
            const bytes = mine.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0);
            expect(bytes <= 1_000 || mine.length === 1).toBe(true);
          }
        }
      }),
    );
  });

  test('keep every record, in order', () => {
    fc.assert(
      fc.property(records, (list) => {
        const all = list.map(([topic, partition, size], i) => record(topic, partition, size, String(i)));
        expect(inChunks(all, 1_000).flat()).toEqual(all);
      }),
    );
  });
});
