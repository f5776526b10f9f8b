import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Partitioners } from './client.ts';
import { partitionOf } from './partition-of.ts';

const partitionMetadata = (partitions: number) =>
  Array.from({ length: partitions }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 0,
    replicas: [],
    isr: [],
  }));

test('is the partition that kafkajs would choose', () => {
  const theirs = Partitioners.DefaultPartitioner();
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.integer({ min: 1, max: 64 }), (key, partitions) => {
      const expected = theirs({
        topic: 't',
        partitionMetadata: partitionMetadata(partitions),
        message: { key, value: null },
      });
      expect(partitionOf(key, partitions)).toBe(expected);
    }),
    { numRuns: 300 },
  );
});
