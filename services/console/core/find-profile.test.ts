import { describe, expect, test } from 'vitest';
import { findByHash, findById, type Knowledge } from './find-profile.ts';

/** Identifier `a` has the default profile `A`. A profile is the list of its identifiers. */
const knowledge = (known: {
  profiles: Record<string, string>;
  gone?: Record<string, string>;
  assigned?: Record<string, string>;
}): Knowledge<{ id: string; held: string }> => ({
  profile: (id) => (known.profiles[id] === undefined ? undefined : { id, held: known.profiles[id] }),
  successor: (id) => known.gone?.[id],
  assigned: (hash) => known.assigned?.[hash],
  anchor: (id) => (known.assigned?.[id.toLowerCase()] === undefined ? undefined : id.toLowerCase()),
  defaultProfile: (hash) => hash.toUpperCase(),
  holds: ({ held }, hash) => held.includes(hash),
});

describe('an identifier', () => {
  test.each([
    ['that never moved', { profiles: { A: 'a' } }, 'A'],
    ['that was assigned', { profiles: { B: 'ab' }, gone: { A: 'B' }, assigned: { a: 'B' } }, 'B'],
    ['whose assignment is ahead of the profiles', { profiles: { A: 'a' }, assigned: { a: 'B' } }, 'A'],
    [
      'whose assignment is ahead, to a profile that does not hold it yet',
      { profiles: { A: 'a', B: 'b' }, assigned: { a: 'B' } },
      'A',
    ],
    ['whose assignment is behind', { profiles: { C: 'ac' }, gone: { A: 'B', B: 'C' }, assigned: { a: 'B' } }, 'C'],
    ['whose former profile went elsewhere with another', { profiles: { C: 'c' }, gone: { A: 'C' } }, undefined],
    ['that nobody knows', { profiles: { B: 'b' } }, undefined],
    ['in a circle', { profiles: {}, gone: { A: 'B', B: 'A' } }, undefined],
  ])('%s', (_, known, found) => {
    expect(findByHash('a', knowledge(known))?.id).toBe(found);
  });
});

describe('a profile id', () => {
  test.each([
    ['of a profile that exists', { profiles: { A: 'x' }, gone: { A: 'B' } }, 'A'],
    ['of one that is gone', { profiles: { C: 'a' }, gone: { A: 'B', B: 'C' } }, 'C'],
    ['of one that is gone without a trace', { profiles: { B: 'ab' }, assigned: { a: 'B' } }, 'B'],
    [
      'of one that is gone, whose identifier has moved on since',
      { profiles: { B: 'b', C: 'ac' }, gone: { A: 'B' }, assigned: { a: 'C' } },
      'C',
    ],
    [
      'of one that is gone, whose identifier is on its way',
      { profiles: { B: 'b', C: 'c' }, gone: { A: 'B' }, assigned: { a: 'C' } },
      undefined,
    ],
    ['of one that returned', { profiles: { A: 'a', B: 'b' }, gone: { A: 'B' }, assigned: { a: 'A' } }, 'A'],
    ['that never was', { profiles: { B: 'b' } }, undefined],
  ])('%s', (_, known, found) => {
    expect(findById('A', knowledge(known))?.id).toBe(found);
  });
});
