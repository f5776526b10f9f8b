import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type AskedEvent, evaluate, holdsOf } from './evaluate.ts';
import { isAggregate } from './expression.ts';
import { parseExpression } from './parse.ts';

const page = readFileSync(new URL('../../../docs/computed-traits.md', import.meta.url), 'utf8');
const told = JSON.parse(/```json events\n(.*?)```/s.exec(page)?.[1] ?? '') as {
  readonly type: string;
  readonly event?: string;
  readonly source: string;
  readonly timestamp: string;
  readonly traits?: object;
}[];
const events = told.map(
  ({ type, event = null, source, timestamp, ...payload }, n): AskedEvent => ({
    type,
    event,
    source,
    message_id: `m${n}`,
    timestamp: Date.parse(timestamp),
    payload: JSON.stringify(payload),
  }),
);
const traits = new Map(
  told.flatMap(({ traits = {} }) => Object.entries(traits)).map(([name, value]) => [name, JSON.stringify(value)]),
);
const NOW = Date.UTC(2026, 2, 15, 12);
const found = [...page.matchAll(/```json\n(.*?)```\n→ `(.*?)`(?:, in `(.*?)` → `(.*?)`)?/gs)];
const examples = found.flatMap(([, asked = '', answer = '', zone, there = '']) => [
  { asked, zone: 'UTC', answer },
  ...(zone === undefined ? [] : [{ asked, zone, answer: there }]),
]);

test('the page has examples', () => {
  expect(examples.length).toBeGreaterThan(7);
  expect(page.match(/```json\n/g)?.length).toBe(found.length);
  expect(examples.length).toBeGreaterThan(found.length);
});

test.each(examples)('$asked in $zone is answered as the page says', ({ asked, zone, answer }) => {
  const read = parseExpression(JSON.parse(asked));
  if ('faults' in read) throw new Error(JSON.stringify(read.faults));
  const { expression } = read;
  const profile = { traits, computed: new Map<string, string>() };
  expect(
    isAggregate(expression) ? evaluate(expression, events, NOW, zone) : holdsOf(expression, profile, events, NOW, zone),
  ).toEqual(JSON.parse(answer));
});
