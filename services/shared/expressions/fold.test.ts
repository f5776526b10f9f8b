import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shuffled } from '#shared/identity/linking/arbitrary.fixture.ts';
import { aggregates, events } from './arbitrary.fixture.ts';
import { type AskedEvent, evaluate } from './evaluate.ts';
import { type Aggregate, DAY_MS, HOUR_MS } from './expression.ts';
import { answerOf, type Cell, cellOf, changesAt, merge } from './fold.ts';

const NOW = Date.UTC(2026, 2, 1, 13, 30);

const question = fc.tuple(aggregates, events(NOW));

function kept(asked: Aggregate, list: readonly AskedEvent[]): readonly Cell[] {
  return list.reduce<readonly Cell[]>((cells, event) => {
    const cell = cellOf(asked, event, JSON.parse(event.payload));
    return cell ? merge(asked, cells, [cell]) : cells;
  }, []);
}

describe('what is kept of events', () => {
  test('answers as plain reading of them does, at any moment', () => {
    fc.assert(
      fc.property(question, fc.integer({ min: -3 * DAY_MS, max: 5 * DAY_MS }), ([asked, list], later) => {
        expect(answerOf(asked, kept(asked, list), NOW + later)).toEqual(evaluate(asked, list, NOW + later));
      }),
      { numRuns: 4_000 },
    );
  });

  test('is the same in any order and from any parts', () => {
    const seeds = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(question, seeds, fc.nat(30), ([asked, list], order, at) => {
        const other = shuffled(list, order);
        const parts = merge(asked, kept(asked, other.slice(0, at)), kept(asked, other.slice(at)));
        expect(parts).toEqual(kept(asked, list));
      }),
      { numRuns: 2_000 },
    );
  });

  test('says when its answer may change by itself, and it does not before', () => {
    fc.assert(
      fc.property(question, ([asked, list]) => {
        const cells = kept(asked, list);
        let now = NOW;
        for (let step = 0; step < 4; step++) {
          const next = changesAt(asked, cells, now);
          const answer = answerOf(asked, cells, now);
          const until = next ?? now + 400 * DAY_MS;
          for (let at = now; at < until; at += Math.max(HOUR_MS, (until - now) / 20))
            expect(answerOf(asked, cells, at)).toEqual(answer);
          expect(answerOf(asked, cells, until - 1)).toEqual(answer);
          if (next === undefined) return;
          expect(next).toBeGreaterThan(now);
          now = next;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
