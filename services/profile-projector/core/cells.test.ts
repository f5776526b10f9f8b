import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TraitCells } from '#schemas/generated/records.ts';
import type { Aggregate } from '#shared/expressions/expression.ts';
import { shuffled } from '#shared/identity/linking/arbitrary.fixture.ts';
import { bytesOfACell, isShort, together, withinBytes } from './cells.ts';

const DAY_MS = 86_400_000;
const asked: Aggregate = { aggregate: 'mostFrequent', value: 'properties.x', of: {}, within: { days: 400 } };
const most = bytesOfACell(asked);

/** Several times as many bytes as a cell may have, of one to four bytes a character. */
const texts = fc
  .array(
    fc.tuple(fc.integer({ min: 0, max: 2 }), fc.constantFrom('a', 'ß', '東', '🦊'), fc.integer({ min: 1, max: 50 })),
    { minLength: 1, maxLength: 40 },
  )
  .map((drafts) => drafts.map(([day, text, length]) => ({ day, text: text.repeat(length) })));

const partOf = ({ day, text }: { readonly day: number; readonly text: string }): TraitCells => ({
  trait: 't',
  version: 1,
  part: 0,
  aggregate: asked.aggregate,
  cells: [{ from: day * DAY_MS, count: 1, micros: null, extreme: null, sighting: null, texts: [{ text, count: 1 }] }],
});

describe('texts that are kept', () => {
  test('are those that a fold of all would keep, whatever order and parts they come in, and take no more bytes than they may', () => {
    const seeds = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 9 });
    let cut = 0;
    fc.assert(
      fc.property(texts, seeds, fc.nat(40), (list, order, at) => {
        const parts = list.map(partOf).filter(({ cells }) => cells.every((cell) => isShort(cell, asked)));
        const kept = (some: readonly TraitCells[]): TraitCells | undefined =>
          some.reduce<TraitCells | undefined>(
            (all, part) => withinBytes(together(all, part), asked, part.cells),
            undefined,
          );
        const whole = parts.reduce<TraitCells | undefined>((all, part) => together(all, part), undefined);
        const expected = whole && withinBytes(whole, asked);
        const other = shuffled(parts, order);
        const [one, two] = [kept(other.slice(0, at)), kept(other.slice(at))];
        expect(one && two ? withinBytes(together(one, two), asked) : (one ?? two)).toEqual(expected);
        if (expected !== whole) cut++;
        for (const cell of expected?.cells ?? []) {
          const bytes = cell.texts.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
          expect(bytes).toBeLessThanOrEqual(4 * most);
          expect(cell.texts.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 500 },
    );
    expect(cut, 'there was something to cut').toBeGreaterThan(100);
  });

  test('of all cells of the longest window fit into a record several times', () => {
    for (const days of [1, 7, 30, 365, 3_650]) {
      const one = bytesOfACell({ within: { days } });
      expect(one * days).toBeLessThan(500_000);
      expect(one).toBeGreaterThan(100);
    }
  });
});
