import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shuffled } from '#shared/identity/linking/arbitrary.fixture.ts';
import { aggregates, events, NOW, zones } from './arbitrary.fixture.ts';
import { type AskedEvent, evaluate } from './evaluate.ts';
import { type Aggregate, DAY_MS, HOUR_MS } from './expression.ts';
import { answerOf, type Cell, cellOf, changesAt, merge } from './fold.ts';

const question = fc.tuple(aggregates, events(NOW), zones);

function kept(asked: Aggregate, list: readonly AskedEvent[], zone: string): readonly Cell[] {
  return list.reduce<readonly Cell[]>((cells, event) => {
    const cell = cellOf(asked, event, JSON.parse(event.payload), zone);
    return cell ? merge(asked, cells, [cell]) : cells;
  }, []);
}

describe('what is kept of events', () => {
  test('answers as plain reading of them does, at any moment', () => {
    fc.assert(
      fc.property(question, fc.integer({ min: -3 * DAY_MS, max: 5 * DAY_MS }), ([asked, list, zone], later) => {
        expect(answerOf(asked, kept(asked, list, zone), NOW + later, zone)).toEqual(
          evaluate(asked, list, NOW + later, zone),
        );
      }),
      { numRuns: 4_000 },
    );
  });

  test('is the same in any order and from any parts', () => {
    const seeds = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(question, seeds, fc.nat(30), ([asked, list, zone], order, at) => {
        const other = shuffled(list, order);
        const parts = merge(asked, kept(asked, other.slice(0, at), zone), kept(asked, other.slice(at), zone));
        expect(parts).toEqual(kept(asked, list, zone));
      }),
      { numRuns: 2_000 },
    );
  });

  test('says when its answer may change by itself, and it does not before', () => {
    fc.assert(
      fc.property(question, ([asked, list, zone]) => {
        const cells = kept(asked, list, zone);
        let now = NOW;
        for (let step = 0; step < 4; step++) {
          const next = changesAt(asked, cells, now, zone);
          const answer = answerOf(asked, cells, now, zone);
          const until = next ?? now + 400 * DAY_MS;
          for (let at = now; at < until; at += Math.max(HOUR_MS, (until - now) / 20))
            expect(answerOf(asked, cells, at, zone)).toEqual(answer);
          expect(answerOf(asked, cells, until - 1, zone)).toEqual(answer);
          if (next === undefined) return;
          expect(next).toBeGreaterThan(now);
          now = next;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
