import { describe, expect, test } from 'vitest';
import type { Accounting } from '#schemas/generated/records.ts';
import { type Books, differences } from './books.ts';

const options = { prefix: 't.', generation: 1, destinations: ['hook'] };

const took = (task: string, topic: string, partition: number, outcomes: Record<string, number>): Accounting => ({
  service: 'any',
  task,
  topic: topic === '' ? '' : `t.${topic}`,
  partition,
  next: 0,
  taken: Object.values(outcomes).reduce((a, b) => a + b, 0),
  outcomes,
  outputs: {},
  generation: 1,
});
const put = (task: string, partition: number, outputs: Record<string, number>): Accounting => ({
  ...took(task, '', partition, {}),
  outputs,
});

const balanced: Books = {
  collected: 10,
  rejected: new Map([
    ['collector: no_identifier', 3],
    ['identity-stitcher: misrouted', 1],
  ]),
  deliveries: new Map([['delivered', 2]]),
  accounting: [
    took('resolver', 'events.collected', 0, { stitched: 4, duplicate: 1 }),
    took('resolver', 'events.collected', 1, { stitched: 4, rejected: 1 }),
    put('resolver', 0, { stitched: 4, claim: 3 }),
    put('resolver', 1, { stitched: 4, claim: 2 }),
    took('linker', 'identity.claims', 0, { applied: 4, known: 1 }),
    put('linker', 0, { mapping: 2, change: 5 }),
    took('resolver', 'identity.mappings', 0, { learned: 2 }),
    took('projector', 'events.stitched', 0, { folded: 7, passed_on: 1 }),
    took('projector', 'identity.changes', 1, { moved: 2, noted: 3 }),
    put('projector', 0, { profile: 6, move: 3 }),
    took('projector', 'internal.g1.moves', 0, { folded: 3 }),
    took('planner', 'events.stitched', 0, { planned: 2, filtered: 6 }),
    took('planner', 'identity.changes', 1, { noted: 5 }),
    put('planner', 0, { hook: 2 }),
    took('sender-hook', 'delivery.hook', 0, { delivered: 2 }),
    put('sender-hook', 0, { delivery: 2 }),
  ],
};

describe('books', () => {
  test('that balance have no differences', () => {
    expect(differences(balanced, options)).toEqual([]);
  });

  test.each<[string, Books, string]>([
    ['an event that nobody took', { ...balanced, collected: 11 }, 'collected: 11, taken by the resolver: 10'],
    [
      'a stitched event that the projector has not seen',
      change('projector', 't.events.stitched', { folded: 6, passed_on: 1 }),
      'stitched put out by resolver: 8, taken by projector: 7',
    ],
    [
      'a stitched event that the planner has not seen',
      change('planner', 't.events.stitched', { planned: 2, filtered: 5 }),
      'stitched put out by resolver: 8, taken by planner: 7',
    ],
    [
      'a move that got lost',
      change('projector', 't.internal.g1.moves', { folded: 2 }),
      'move put out by projector: 3, taken by projector: 2',
    ],
    [
      'a rejection that is not in the topic',
      { ...balanced, rejected: new Map([['collector: no_identifier', 3]]) },
      'rejected by tasks: 1, in events.rejected: 0',
    ],
    [
      'a delivery that is not in the ledger',
      { ...balanced, deliveries: new Map([['delivered', 1]]) },
      'deliveries asked for: 2, in the ledger: 1',
    ],
  ])('name %s', (_, books, difference) => {
    expect(differences(books, options)).toEqual([difference]);
  });

  test('name an input that was left without an outcome', () => {
    const accounting = balanced.accounting.map((one) =>
      one.task === 'linker' && one.topic !== '' ? { ...one, outcomes: { applied: 4 } } : one,
    );
    expect(differences({ ...balanced, accounting }, options)).toEqual([
      'taken by linker t.identity.claims/0: 5, outcomes: 4',
    ]);
  });
});

function change(task: string, topic: string, outcomes: Record<string, number>): Books {
  return {
    ...balanced,
    accounting: balanced.accounting.map((one) =>
      one.task === task && one.topic === topic ? { ...took(task, '', one.partition, outcomes), topic } : one,
    ),
  };
}
