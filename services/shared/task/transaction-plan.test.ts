import { expect, test } from 'vitest';
import type { Accounting } from '#schemas/generated/records.ts';
import { MemoryState, someMoment } from './memory.ts';
import { positionsAfter, totalsAfter } from './transaction-plan.ts';
import { Workspace } from './workspace.ts';

const input = (offset: number, next = offset + 1) => ({
  input: 'event',
  partition: 0,
  offset,
  next,
  key: 'k',
  value: {},
  timestamp: 0,
  raw: null,
});

test('the position after a batch is past the markers that follow its last record', () => {
  expect(positionsAfter([input(7), input(8, 11)], () => 'topic').get('topic')).toBe(11);
});

test('totals add what became of each input, and what was put out', () => {
  const work = new Workspace({}, { get: () => undefined, holds: () => false, scan: () => [] }, someMoment);
  work.settle(input(0), 'stitched');
  work.settle(input(1), 'duplicate');
  work.emit('stitched', 'k', {}, 0);
  const counter = { service: 's', task: 't', partition: 3, generation: 1, topicOf: () => 'topic' };
  const before = totalsAfter(new Map(), work, new Map([['topic', 2]]), counter);
  expect(before).toEqual([
    {
      service: 's',
      task: 't',
      topic: 'topic',
      partition: 3,
      next: 2,
      taken: 2,
      outcomes: { stitched: 1, duplicate: 1 },
      outputs: {},
      generation: 1,
    },
    {
      service: 's',
      task: 't',
      topic: '',
      partition: 3,
      next: 0,
      taken: 0,
      outcomes: {},
      outputs: { stitched: 1 },
      generation: 1,
    },
  ]);
  const after = totalsAfter(
    new Map(before.map((totals) => [totals.topic, totals])),
    work,
    new Map([['topic', 4]]),
    counter,
  );
  expect(after.map(({ next, taken, outcomes, outputs }) => ({ next, taken, outcomes, outputs }))).toEqual([
    { next: 4, taken: 4, outcomes: { stitched: 2, duplicate: 2 }, outputs: {} },
    { next: 0, taken: 0, outcomes: {}, outputs: { stitched: 2 } },
  ]);
});

test('totals count the values of counted stores, whatever a batch does to them', () => {
  const counted = { name: 'kept', help: 'kept' };
  const stores = { kept: { record: 'Resolution', counted }, other: { record: 'Resolution' } } as const;
  const state = new MemoryState(stores);
  const counter = { service: 's', task: 't', partition: 3, generation: 1, topicOf: () => 'topic' };
  let totals = new Map<string, Accounting>();
  const put = ['put', true] as const;
  const remove = ['remove', false] as const;
  const batches: (readonly [key: string, readonly [string, boolean]])[][] = [
    [
      ['a', put],
      ['a', put],
      ['b', put],
      ['c', remove],
    ],
    [
      ['a', remove],
      ['a', put],
      ['b', remove],
      ['b', remove],
      ['c', put],
    ],
    [
      ['d', put],
      ['d', remove],
    ],
    [
      ['a', remove],
      ['c', remove],
    ],
  ];
  const counts = batches.map((batch) => {
    const work = new Workspace(stores, state, someMoment);
    for (const [key, [, isPut]] of batch) {
      for (const store of ['kept', 'other']) isPut ? work.put(store, key, {}) : work.remove(store, key);
    }
    totals = new Map(totalsAfter(totals, work, new Map(), counter).map((one) => [one.topic, one]));
    state.apply(work);
    expect(totals.get('')?.outcomes).toEqual({ kept: state.entries('kept').length });
    return totals.get('')?.outcomes.kept;
  });
  expect(counts).toEqual([2, 2, 2, 0]);
});
