import { describe, expect, test } from 'vitest';
import type { Identifier, Profile } from '#schemas/generated/records.ts';
import { aProfile } from '#shared/profiles/a-profile.fixture.ts';
import { type Clues, guessAt, guessOfOne, type Logged, type Said } from './reason.ts';

const idOf = (value: string): Identifier => ({ type: 'user_id', value, hash: value.repeat(32) });
const [a, b] = [idOf('a'), idOf('b')] as const;
const NOW = 1_000_000;

/** `a` routed a1 and a2, `b` routed b1 to b3; the last of each a second ago. */
const logged: readonly Logged[] = [
  { hash: a.hash, message_id: 'a1', event: 'Viewed', received_at: 1 },
  { hash: a.hash, message_id: 'a2', event: 'Ordered', received_at: NOW - 1_000 },
  { hash: b.hash, message_id: 'b1', event: 'Viewed', received_at: 2 },
  { hash: b.hash, message_id: 'b2', event: 'Viewed', received_at: 3 },
  { hash: b.hash, message_id: 'b3', event: 'Left', received_at: NOW - 1_000 },
];
const ids = logged.map(({ message_id }) => message_id);

const said = (changes: Partial<Profile>, causes: readonly string[] = ids): Said => ({
  profile: aProfile('p', 1, { identifiers: [a, b], events: 5, updated_at: NOW, ...changes }),
  causes: new Set(causes),
});
const nobody: Said = { profile: undefined, causes: new Set() };

/** @param holders identifiers that are in some profile of the first, and of the second; in several, as often as they stand here */
const clues = (
  holders: readonly [readonly Identifier[], readonly Identifier[]],
  events: readonly Logged[] = logged,
): Clues => ({
  holdersOf: (feed, hash) => holders[feed].flatMap((one) => (one.hash === hash ? ['elsewhere'] : [])),
  figuresOf: (hash) => ({
    events: events.filter((one) => one.hash === hash).length,
    revenue: new Map(),
    lastTouch: null,
  }),
  logged: Map.groupBy(events, ({ hash }) => hash),
  unloggedOf: () => [],
});
const everywhere = clues([
  [a, b],
  [a, b],
]);
const counted = (counts: Readonly<Record<string, number>>) => ({
  event_counts: Object.entries(counts).map(([event, count]) => ({ event, count })),
});
const computed = (value: string, definition_version: number) => ({
  computed: [{ name: 'orders', value, definition_version }],
});
const trait = (value: string, sensitivity = 'none') => ({
  traits: [{ name: 'plan', value, timestamp: 1, message_id: 'a1', source: 'web', sensitivity }],
});

describe('why two feeds say different things', () => {
  test.each([
    ['another value by the same events', said(trait('1')), said(trait('2')), { reason: 'state', at: null }],
    ['another flag', said({ flags: ['traits_cut'] }), said({}), { reason: 'state' }],
    ['in quarantine in one only', said({ flags: ['quarantined'] }), said({}), { reason: 'rule' }],
    ['a trait of another version', said(computed('1', 1)), said(computed('2', 2)), { reason: 'definition' }],
    ['a computed trait that only one has', said(computed('1', 1)), said({}), { reason: 'definition' }],
    ['another sensitivity', said(trait('1')), said(trait('1', 'personal')), { reason: 'definition' }],
    ['another answer of the same version', said(computed('1', 1)), said(computed('2', 1)), { reason: 'state' }],
    [
      'a definition, and something else besides',
      said({ ...computed('1', 1), ...trait('1') }),
      said({ ...computed('2', 2), ...trait('2') }),
      { reason: 'state' },
    ],
    [
      'events that were received after what one of them has',
      said({}),
      said({ events: 3, updated_at: NOW - 2_000 }),
      { reason: 'late event', at: 'second', events: ['a2', 'b3'] },
    ],
    [
      'an event that did not lead to any version',
      said({ events: 4 }, ['a1', 'a2', 'b1', 'b3']),
      said({}),
      { reason: 'missing event', at: 'first', events: ['b2'] },
    ],
    [
      'as many as an identifier routed',
      said({}),
      said({ events: 2 }),
      { reason: 'lost move', at: 'second', identifiers: [b], events: ['b1', 'b2', 'b3'] },
    ],
    [
      'as many too many',
      said({ events: 8 }),
      said({}),
      { reason: 'doubled tributary', at: 'first', identifiers: [b], events: [] },
    ],
    [
      'as many too many of some names as one routed before it routed more',
      said({ events: 7, ...counted({ Viewed: 5, Ordered: 1, Left: 1 }) }),
      said(counted({ Viewed: 3, Ordered: 1, Left: 1 })),
      { reason: 'doubled tributary', at: 'first', identifiers: [b], events: [] },
    ],
    [
      'as many too few of some names as one routed before it routed more',
      said(counted({ Viewed: 3, Ordered: 1, Left: 1 })),
      said({ events: 3, ...counted({ Viewed: 1, Ordered: 1, Left: 1 }) }),
      { reason: 'lost move', at: 'second', identifiers: [b], events: [] },
    ],
    [
      'one that nobody can tell',
      said({ events: 6 }),
      said({}),
      { reason: 'missing event', at: 'event log', events: [] },
    ],
  ] as const)('%s', (_, first, second, guess) => {
    expect(guessAt([first, second], everywhere)).toMatchObject(guess);
  });

  test('identifiers that are in another profile are grouped by another rule', () => {
    expect(guessAt([said({}), said({ identifiers: [a], events: 2 })], everywhere)).toEqual({
      reason: 'rule',
      at: null,
      identifiers: [b],
      events: [],
    });
  });

  test('one that is in no profile of a feed was lost on its way', () => {
    const lost = clues([[a, b], [a]]);
    expect(guessAt([said({}), said({ identifiers: [a], events: 2 })], lost)).toEqual({
      reason: 'lost move',
      at: 'second',
      identifiers: [b],
      events: ['b1', 'b2', 'b3'],
    });
  });

  test('one that two profiles of a feed hold counts twice', () => {
    const both = clues([
      [a, b, b],
      [a, b],
    ]);
    const guess = { reason: 'doubled tributary', identifiers: [b], events: [] };
    expect(guessAt([said({}), said({ identifiers: [a], events: 2 })], both)).toEqual({ ...guess, at: 'first' });
    const there = clues([
      [a, b],
      [a, b, b],
    ]);
    expect(guessAt([said({ identifiers: [a], events: 2 }), said({})], there)).toEqual({ ...guess, at: 'second' });
  });

  test('a profile that is not there lacks events, or they are only just received', () => {
    const none = clues([[], [a, b]]);
    expect(guessAt([nobody, said({})], none)).toMatchObject({ reason: 'missing event', at: 'first', events: ids });
    const recent = logged.filter(({ received_at }) => received_at > 3);
    const fresh = clues([[], [a, b]], recent);
    expect(guessAt([nobody, said({ events: 2 })], fresh)).toMatchObject({ reason: 'late event', at: 'first' });
    expect(guessAt([nobody, said({})], everywhere)).toMatchObject({ reason: 'rule', identifiers: [a, b] });
  });
});

describe('why the event log says something else than both', () => {
  test.each([
    [
      'they lack one',
      said({ events: 4 }, ids.slice(1)),
      logged,
      { reason: 'missing event', at: 'first', events: ['a1'] },
    ],
    ['they have an identifier twice', said({ events: 7 }), logged, { reason: 'doubled tributary', identifiers: [a] }],
    [
      'they have some of one twice, which has routed more since',
      said({ events: 7, ...counted({ Viewed: 5, Ordered: 1, Left: 1 }) }),
      logged,
      { reason: 'doubled tributary', identifiers: [b] },
    ],
    ['they lack an identifier', said({ events: 3 }), logged, { reason: 'lost move', identifiers: [a] }],
    ['it has as many', said({}), logged, { reason: 'state', at: 'first' }],
  ] as const)('%s', (_, one, events, guess) => {
    expect(guessOfOne(one, clues([[a, b], []], events))).toMatchObject(guess);
  });

  test('an event is missing from it where one led to a version and is not there', () => {
    const some: Clues = { ...everywhere, unloggedOf: (of) => (of.includes(b) ? ['b9', 'b0', 'b9'] : []) };
    expect(guessOfOne(said({ events: 6 }), some)).toEqual({
      reason: 'missing event',
      at: 'event log',
      identifiers: [],
      events: ['b0', 'b9'],
    });
  });
});
