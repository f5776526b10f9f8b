import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignPartitions } from './assignment.ts';

const group = fc.record({
  partitions: fc.integer({ min: 0, max: 40 }),
  members: fc.uniqueArray(fc.record({ id: fc.uuid(), holds: fc.uniqueArray(fc.nat(45)) }), {
    minLength: 1,
    maxLength: 9,
    selector: ({ id }) => id,
  }),
});

describe('the assignment of partitions', () => {
  test('gives every partition to exactly one member, evenly', () => {
    fc.assert(
      fc.property(group, ({ partitions, members }) => {
        const assigned = assignPartitions(partitions, members);
        const all = [...assigned.values()].flat().sort((a, b) => a - b);
        expect(all).toEqual(Array.from({ length: partitions }, (_, partition) => partition));
        const sizes = [...assigned.values()].map((mine) => mine.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('does not depend on the order of members', () => {
    fc.assert(
      fc.property(group, ({ partitions, members }) => {
        expect(assignPartitions(partitions, [...members].reverse())).toEqual(assignPartitions(partitions, members));
      }),
    );
  });

  test('leaves partitions where their state is, as far as that is even', () => {
    const members = [
      { id: 'a', holds: [1, 3] },
      { id: 'b', holds: [0, 2] },
    ];
    expect(Object.fromEntries(assignPartitions(4, members))).toEqual({ a: [1, 3], b: [0, 2] });
    expect(Object.fromEntries(assignPartitions(4, [...members, { id: 'c', holds: [] }]))).toEqual({
      a: [1, 3],
      b: [0],
      c: [2],
    });
  });
});
