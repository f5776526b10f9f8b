import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conditions, events, NOW, profiles, zones } from './arbitrary.fixture.ts';
import { aggregatesIn, conditionChangesAt, holds, type KeptProfile, orderOf } from './condition.ts';
import { type AskedEvent, type AskedProfile, holdsOf } from './evaluate.ts';
import { type Aggregate, type Condition, DAY_MS, type Expression, HOUR_MS } from './expression.ts';
import { type Cell, cellOf, merge } from './fold.ts';

const question = fc.tuple(conditions, profiles, events(NOW), zones);

function kept(asked: Condition, profile: AskedProfile, list: readonly AskedEvent[], zone: string): KeptProfile {
  const cells = new Map<Aggregate, readonly Cell[]>();
  for (const one of aggregatesIn(asked))
    cells.set(
      one,
      list.reduce<readonly Cell[]>((sum, event) => {
        const cell = cellOf(one, event, JSON.parse(event.payload), zone);
        return cell ? merge(one, sum, [cell]) : sum;
      }, []),
    );
  return { ...profile, cells: (one) => cells.get(one) ?? [] };
}

describe('a condition on a profile', () => {
  test('holds from what is kept as it does from all events, at any moment, in any zone', () => {
    fc.assert(
      fc.property(
        question,
        fc.integer({ min: -3 * DAY_MS, max: 5 * DAY_MS }),
        ([asked, profile, list, zone], later) => {
          const now = NOW + later;
          expect(holds(asked, kept(asked, profile, list, zone), now, zone)).toBe(
            holdsOf(asked, profile, list, now, zone),
          );
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('says when it may change by itself, and it does not before', () => {
    fc.assert(
      fc.property(question, ([asked, profile, list, zone]) => {
        const known = kept(asked, profile, list, zone);
        let now = NOW;
        for (let step = 0; step < 4; step++) {
          const next = conditionChangesAt(asked, known, now, zone);
          const until = next ?? now + 400 * DAY_MS;
          const held = holds(asked, known, now, zone);
          for (let at = now; at < until; at += Math.max(HOUR_MS, (until - now) / 10))
            expect(holds(asked, known, at, zone)).toBe(held);
          expect(holds(asked, known, until - 1, zone)).toBe(held);
          if (next === undefined) return;
          expect(next).toBeGreaterThan(now);
          now = next;
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('computed traits that ask about others', () => {
  const asking = (...names: string[]): Expression => ({ all: names.map((computed) => ({ computed, exists: true })) });

  test('come after these', () => {
    const definitions = new Map<string, Expression>([
      ['a', asking('b', 'c')],
      ['b', asking('c', 'nowhere')],
      ['c', { aggregate: 'count', of: {} }],
      ['d', { not: { computed: 'a', is: true } }],
    ]);
    expect(orderOf(definitions)).toEqual({ order: ['c', 'b', 'a', 'd'] });
  });

  test('in a circle are named', () => {
    const definitions = new Map([
      ['a', asking('b')],
      ['b', asking('c')],
      ['c', asking('d', 'b')],
      ['d', asking('e')],
    ]);
    expect(orderOf(definitions)).toEqual({ cycle: ['b', 'c', 'b'] });
    expect(orderOf(new Map([['a', asking('a')]]))).toEqual({ cycle: ['a', 'a'] });
  });

  test('may be a long chain', () => {
    const names = Array.from({ length: 20_000 }, (_, n) => `t${n}`);
    const read = orderOf(new Map(names.map((name, n) => [name, asking(`t${n + 1}`)])));
    expect('order' in read && read.order.length).toBe(names.length);
  });
});
