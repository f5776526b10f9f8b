import { describe, expect, test } from 'vitest';
import { type Findings, foreignEvents, problemsIn } from './checks.ts';
import { right } from './findings.fixture.ts';

describe('a sample', () => {
  test('that went right has no problems', () => {
    expect(problemsIn(right)).toEqual([]);
  });

  test.each<[string, Partial<Findings>, string]>([
    ['an event that was given up', { acknowledged: 9 }, 'events acknowledged: 9 instead of 10'],
    [
      'a cent that is missing in profiles',
      { revenue: new Map([...right.revenue, ['USD', 11_760_000n]]) },
      'revenue in profiles, USD micros: 11760000 instead of 11770000',
    ],
    [
      'a cent that is missing in ClickHouse',
      { warehouse: { ...right.warehouse, orderRevenue: new Map([...right.warehouse.orderRevenue, ['USD', '11.76']]) } },
      'revenue of ClickHouse’s orders, USD micros: 11760000 instead of 11770000',
    ],
    [
      'an event that is twice in ClickHouse',
      { warehouse: { ...right.warehouse, events: 9 } },
      'stitched: 8 in Kafka, 9 in ClickHouse',
    ],
    [
      'a duplicate that ClickHouse does not see',
      { warehouse: { ...right.warehouse, duplicates: 0 } },
      'duplicates in ClickHouse: 0 instead of 1',
    ],
    ['a profile that ClickHouse lacks', { profiles: 4 }, 'profiles: 4 in Kafka, 3 in ClickHouse'],
    [
      'a delivery that the receiver never saw',
      { received: { keys: 0, requests: 0, refused: 0 } },
      'idempotency keys at the receiver: 0 instead of 1',
    ],
    ['a version that is missing', { unevenVersions: 1 }, 'profiles whose versions do not rise by one: 1 instead of 0'],
    [
      'a delivery that was never asked for',
      { expected: { ...right.expected, deliveries: 2 } },
      'deliveries asked for: 1 instead of 2',
    ],
    [
      'an event that was never seen again',
      { expected: { ...right.expected, distinct: 9 } },
      '1 events of the sample are missing',
    ],
  ])('names %s', (_, change, problem) => {
    expect(problemsIn({ ...right, ...change })).toEqual([problem]);
  });

  test('does not mistake what somebody else sent for its own', () => {
    const more = { ...right, expected: { ...right.expected, distinct: 7, dollarCents: 1_000n } };
    expect(foreignEvents(more)).toBe(1);
    expect(problemsIn(more)).toEqual([]);
  });
});
