import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tributary } from '#schemas/generated/records.ts';
import { baseEvent, events, identifier, inAnyOrder } from './arbitrary.fixture.ts';
import { ofEvent } from './event.ts';
import { limits } from './limits.ts';
import { empty, merge } from './tributary.ts';

const one = identifier(0);
const fold = (parts: readonly Tributary[]): Tributary => parts.reduce(merge, empty(one));
const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

const small = events().map((list) => list.map((event) => ofEvent(event, one, 'USD')));

/** Tributaries near the limits, so that merging cuts. */
const large: fc.Arbitrary<Tributary[]> = fc.array(
  fc
    .record({
      offset: fc.integer({ min: 0, max: 150 }),
      traits: fc.nat(limits.traits),
      eventNames: fc.nat(limits.eventNames),
      sources: fc.nat(limits.sources),
      consents: fc.nat(limits.consents),
      currencies: fc.nat(limits.currencies),
      orders: fc.nat(limits.orders),
      products: fc.nat(limits.products),
      groups: fc.nat(limits.groups),
      interactions: fc.nat(limits.interactions),
      days: fc.nat(limits.sessionDays),
      time: fc.nat(3),
    })
    .map((drawn): Tributary => {
      const sortedNames = (count: number): string[] =>
        names('', count)
          .map((n) => `n${Number(n) + drawn.offset}`)
          .sort();
      const { time } = drawn;
      return {
        ...empty(one, time),
        events: 1,
        traits: sortedNames(drawn.traits).map((name) => ({
          name,
          value: String(time),
          timestamp: time,
          message_id: 'm',
          source: 's',
          sensitivity: 'none',
        })),
        event_counts: sortedNames(drawn.eventNames).map((event) => ({ event, count: 1 })),
        sources: sortedNames(drawn.sources),
        consents: sortedNames(drawn.consents).map((purpose) => ({
          purpose,
          state: 'granted',
          time,
          source: 's',
          policy_version: null,
        })),
        orders: Array.from({ length: drawn.orders }, (_, n) => n + drawn.offset),
        products: sortedNames(drawn.products).map((product) => ({
          product,
          currency: 'USD',
          name: `${time}`,
          named_at: time,
          quantity_micros: '1',
          micros: '1',
        })),
        groups: sortedNames(drawn.groups).map((group) => ({ group, traits: '{}', timestamp: time, source: 's' })),
        interactions: sortedNames(drawn.interactions).map((id) => ({
          id,
          state: time === 1 ? 'open' : 'closed',
          channel: null,
          direction: null,
          agent: null,
          timestamp: time,
          source: 's',
        })),
        sessions: Array.from({ length: drawn.days }, (_, n) => {
          const from = (n + drawn.offset) * 86_400_000 + time * 1_000_000;
          return { from, to: from + 1_000_000, events: 1 };
        }),
        revenue: sortedNames(drawn.currencies).map((currency) => ({ currency, micros: '1' })),
      };
    }),
  { maxLength: 5 },
);

for (const [what, parts] of [
  ['small tributaries', small],
  ['tributaries near the limits', large],
] as const) {
  describe(`the laws of merge, over ${what}`, () => {
    it('empty is the unit', () => {
      fc.assert(
        fc.property(parts, (list) => {
          for (const part of list) {
            expect(merge(part, empty(one))).toEqual(part);
            expect(merge(empty(one), part)).toEqual(part);
          }
        }),
      );
    });

    it('no field is lost of a part that has nothing else', () => {
      fc.assert(
        fc.property(parts, (list) => {
          for (const part of list)
            for (const field of Object.keys(part) as (keyof Tributary)[]) {
              const alone = { ...empty(one), [field]: part[field] };
              expect(merge(empty(one), alone)).toEqual(alone);
            }
        }),
        { numRuns: 30 },
      );
    });

    it('it commutes', () => {
      fc.assert(
        fc.property(parts, (list) => {
          const [a = empty(one), b = empty(one)] = list;
          expect(merge(a, b)).toEqual(merge(b, a));
        }),
      );
    });

    it('it associates', () => {
      fc.assert(
        fc.property(parts, (list) => {
          const [a = empty(one), b = empty(one), c = empty(one)] = list;
          expect(merge(merge(a, b), c)).toEqual(merge(a, merge(b, c)));
        }),
      );
    });

    it('any order and any grouping give the same to the byte', () => {
      fc.assert(
        fc.property(inAnyOrder(parts), ([list, groups]) => {
          const whole = fold(groups.map(fold));
          expect(JSON.stringify(whole)).toBe(JSON.stringify(fold(list)));
        }),
      );
    });

    it('what went in is left as it was', () => {
      fc.assert(
        fc.property(parts, (list) => {
          const before = JSON.stringify(list);
          fold(list);
          expect(JSON.stringify(list)).toBe(before);
        }),
      );
    });
  });
}

describe('limits', () => {
  const withTraits = (all: readonly string[]): Tributary =>
    ofEvent(
      {
        ...baseEvent,
        type: 'identify',
        payload: JSON.stringify({ traits: Object.fromEntries(all.map((n) => [n, 1])) }),
      },
      one,
      'USD',
    );

  it('the smallest names stay, and a flag says that others were cut', () => {
    const all = names('trait', 300);
    const whole = fold([withTraits(all.slice(100, 300)), withTraits(all.slice(0, 150))]);
    expect(whole.traits.map((trait) => trait.name)).toEqual([...all].sort().slice(0, limits.traits));
    expect(whole.flags).toEqual(['traits_cut']);
  });

  it('at the limit nothing is cut', () => {
    const all = names('trait', limits.traits);
    const whole = fold([withTraits(all.slice(0, 120)), withTraits(all.slice(60))]);
    expect(whole.traits).toHaveLength(limits.traits);
    expect(whole.flags).toEqual([]);
  });
});

describe('sums', () => {
  const amount = (text: string): Tributary =>
    ofEvent({ ...baseEvent, event: 'Order Completed', payload: `{"properties":{"revenue":${text}}}` }, one, 'USD');
  const table: readonly (readonly [amounts: readonly string[], micros: string])[] = [
    [['0.1', '0.2'], '300000'],
    [['9007199254.740992', '0.000001'], '9007199254740993'],
    [['123456789012345.678901', '0.000001', '-123456789012345.678901'], '1'],
  ];
  for (const [amounts, micros] of table) {
    it(`${amounts.join(' + ')} is exact, in any order`, () => {
      expect(fold(amounts.map(amount)).revenue).toEqual([{ currency: 'USD', micros }]);
      expect(fold([...amounts].reverse().map(amount)).revenue).toEqual([{ currency: 'USD', micros }]);
    });
  }
});

describe('what wins', () => {
  const at = (timestamp: number, message_id: string, source: string, value: number): Tributary =>
    ofEvent(
      { ...baseEvent, type: 'identify', timestamp, message_id, source, payload: `{"traits":{"plan":${value}}}` },
      one,
      'USD',
    );
  const planOf = (...parts: Tributary[]): string | undefined => fold(parts).traits[0]?.value;

  it('the later timestamp, whichever arrives last', () => {
    expect(planOf(at(2, 'a', 's', 1), at(1, 'z', 'z', 2))).toBe('1');
    expect(planOf(at(1, 'z', 'z', 2), at(2, 'a', 's', 1))).toBe('1');
  });
  it('at equal times the larger message id', () => {
    expect(planOf(at(1, 'b', 's', 1), at(1, 'a', 'z', 2))).toBe('1');
  });
  it('at equal message ids the larger source', () => {
    expect(planOf(at(1, 'a', 't', 1), at(1, 'a', 's', 2))).toBe('1');
  });
  it('a denial, at equal times', () => {
    const said = (state: string, time: number): Tributary => ({
      ...empty(one),
      consents: [{ purpose: 'email', state, time, source: 's', policy_version: null }],
    });
    expect(fold([said('denied', 1), said('granted', 1)]).consents[0]?.state).toBe('denied');
    expect(fold([said('granted', 1), said('denied', 1)]).consents[0]?.state).toBe('denied');
    expect(fold([said('denied', 1), said('granted', 2)]).consents[0]?.state).toBe('granted');
  });
});
