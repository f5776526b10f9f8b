import { describe, expect, test } from 'vitest';
import type { Definition } from '#schemas/generated/records.ts';
import { changesTo, recordsOf } from './changes.ts';
import { definitionKinds } from './kinds.ts';
import type { Wanted } from './validate.ts';

const purpose = (description: string): Wanted => ({
  kind: 'purpose',
  name: 'ads',
  body: definitionKinds.purpose.parse({ description }),
});
const gone: Wanted = { kind: 'purpose', name: 'ads', body: undefined };
const record = (body: unknown, version: number, deleted = false): Definition => ({
  kind: 'purpose',
  name: 'ads',
  version,
  body: JSON.stringify(body),
  actor: 'a',
  reason: 'r',
  at: 0,
  deleted,
});
const newest = (one?: Definition): Map<string, Definition> => new Map(one ? [['purpose/ads', one]] : []);
const inForce = { default: 'denied', description: 'x' };

describe('changesTo', () => {
  test.each([
    ['creates what is not there', newest(), purpose('x'), 'created', 1],
    ['leaves alone what is the same, however it is ordered', newest(record(inForce, 3)), purpose('x'), 'unchanged', 3],
    [
      'takes for the same what an older version wrote with less',
      newest(record({ description: 'x' }, 3)),
      purpose('x'),
      'unchanged',
      3,
    ],
    ['changes what differs', newest(record(inForce, 3)), purpose('y'), 'changed', 4],
    ['changes what can no longer be understood', newest(record({ colour: 'red' }, 3)), purpose('x'), 'changed', 4],
    ['deletes', newest(record(inForce, 3)), gone, 'deleted', 4],
    ['does not delete twice', newest(record(inForce, 4, true)), gone, 'unchanged', 4],
    ['does not delete what never was', newest(), gone, 'unchanged', 0],
    ['counts on when it creates again', newest(record(inForce, 4, true)), purpose('x'), 'created', 5],
  ])('%s', (_, before, wanted, what, version) => {
    expect(changesTo(before, [wanted])).toMatchObject([{ what, version }]);
  });
});

test('recordsOf writes what changes and nothing else', () => {
  const by = { actor: 'me', reason: 'because', at: 7 };
  const other: Wanted = { kind: 'purpose', name: 'news', body: definitionKinds.purpose.parse({}) };
  const before = newest(record(inForce, 3));
  expect(recordsOf(changesTo(before, [purpose('x'), other]), by)).toEqual([
    { kind: 'purpose', name: 'news', version: 1, body: '{"description":"","default":"denied"}', ...by, deleted: false },
  ]);
  expect(recordsOf(changesTo(before, [gone]), by)).toMatchObject([
    { version: 4, body: '{"description":"x","default":"denied"}', deleted: true },
  ]);
});
