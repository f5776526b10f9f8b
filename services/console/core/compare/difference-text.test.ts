import { expect, test } from 'vitest';
import { differenceTexts } from './difference-text.ts';

const names = ['live', 'generation 2'] as const;
const identifier = (value: string) => ({ type: 'anonymous_id', value, hash: `hash of ${value}` });

test('of lists only what differs is told', () => {
  expect(
    differenceTexts(
      [
        {
          path: 'event_counts',
          values: [
            [
              { event: 'Home', count: 1 },
              { event: 'Cart', count: 2 },
            ],
            [{ event: 'Home', count: 1 }],
          ],
        },
        { path: 'events', values: [3, 1] },
        { path: 'identifiers', values: [[identifier('a')], [identifier('a'), identifier('b'), identifier('c')]] },
        { path: 'traits.plan', values: [null, { value: '"pro"' }] },
      ],
      names,
    ),
  ).toEqual([
    'event_counts: [{"event":"Cart","count":2}] → []',
    'events: 3 → 1',
    'identifiers: [] → [anonymous_id:b, anonymous_id:c]',
    'traits.plan: null → {"value":"\\"pro\\""}',
  ]);
});

test('of a profile that only one has, who has it', () => {
  const differences = (...values: [unknown, unknown][]) =>
    ['events', 'identifiers', 'kind'].map((path, n) => ({ path, values: values[n] ?? ([null, null] as const) }));
  const [there, nowhere] = [[identifier('a'), identifier('b')], null];
  expect(differenceTexts(differences([2, null], [there, nowhere], ['person', null]), names)).toEqual([
    'only live has it: 2 events of anonymous_id:a, anonymous_id:b',
  ]);
  expect(differenceTexts(differences([null, 1], [nowhere, there], [null, 'person']), names)).toEqual([
    'only generation 2 has it: 1 event of anonymous_id:a, anonymous_id:b',
  ]);
});
