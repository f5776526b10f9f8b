import { describe, expect, test } from 'vitest';
import { aProfile } from '#shared/profiles/a-profile.fixture.ts';
import { canBeAsked, disagreements, type Figures, noFigures, sumOfFigures } from './third-opinion.ts';

const touch = (timestamp: number, message_id: string, source = 'web') => ({ timestamp, message_id, source });
const figures = (changes: Partial<Figures>): Figures => ({ ...noFigures, ...changes });
const euros = (amount: string) => ({ revenue: [{ currency: 'EUR', amount }] });

test('what identifiers routed is added, and the later touch is the last', () => {
  const sum = sumOfFigures([
    figures({
      events: 2,
      revenue: new Map([
        ['EUR', 5n],
        ['', 1n],
      ]),
      lastTouch: touch(5, 'm1'),
    }),
    figures({ events: 1, revenue: new Map([['EUR', -2n]]), lastTouch: touch(5, 'm2') }),
    figures({ lastTouch: touch(4, 'm9') }),
  ]);
  expect(sum).toEqual({
    events: 3,
    revenue: new Map([
      ['EUR', 3n],
      ['', 1n],
    ]),
    lastTouch: touch(5, 'm2'),
  });
  expect(sumOfFigures([])).toEqual(noFigures);
});

describe('a profile and the event log', () => {
  test('agree on the same events, revenue and last touch, whatever else they know', () => {
    const whole = {
      ...touch(5, 'm1'),
      referrer: null,
      utm_source: 'news',
      utm_medium: null,
      utm_campaign: null,
      utm_term: null,
      utm_content: null,
      utm_id: null,
    };
    const profile = aProfile('p', 3, { ...euros('1.5'), last_touch: whole });
    const log = figures({ events: 3, revenue: new Map([['EUR', 1_500_000n]]), lastTouch: touch(5, 'm1') });
    expect(disagreements(profile, log)).toEqual([]);
    expect(disagreements(profile, figures({ ...log, events: 4, lastTouch: touch(5, 'm1', 'app') }))).toMatchObject([
      { path: 'events', profile: 3, log: 4 },
      { path: 'last_touch', log: touch(5, 'm1', 'app') },
    ]);
  });

  test.each<[string, Parameters<typeof euros>[0], readonly (readonly [string, bigint])[], boolean]>([
    ['the same', '2', [['EUR', 2_000_000n]], true],
    ['a millionth more', '2', [['EUR', 2_000_001n]], false],
    ['another currency', '2', [['USD', 2_000_000n]], false],
    ['nothing of one that comes to nothing', '0', [], true],
    [
      'the rest without a currency',
      '2',
      [
        ['EUR', 1_500_000n],
        ['', 500_000n],
      ],
      true,
    ],
    [
      'less than the rest without a currency',
      '2',
      [
        ['EUR', 1_500_000n],
        ['', 400_000n],
      ],
      false,
    ],
  ])('revenue: %s', (_, amount, log, isSame) => {
    const found = disagreements(aProfile('p', 1, euros(amount)), figures({ events: 1, revenue: new Map(log) }));
    expect(found.length === 0).toBe(isSame);
  });

  test('where an amount could not be read, or was cut, revenue is not compared', () => {
    for (const flag of ['revenue_unreadable', 'currencies_cut'])
      expect(disagreements(aProfile('p', 1, { ...euros('2'), flags: [flag] }), figures({ events: 1 }))).toEqual([]);
  });

  test('nothing is asked where not all identifiers are listed', () => {
    expect([canBeAsked({ flags: ['identifiers_cut'] }), canBeAsked({ flags: ['traits_cut'] })]).toEqual([false, true]);
  });
});
