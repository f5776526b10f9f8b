import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { aggregates, conditions } from './arbitrary.fixture.ts';
import { compute, MOST_DEPTH, MOST_NODES, parseExpression, placeOf } from './parse.ts';

const faultsOf = (json: unknown): string[] => {
  const read = parseExpression(json);
  return 'faults' in read ? read.faults.map(({ path, wrong }) => `${placeOf(['compute', ...path])}: ${wrong}`) : [];
};
const count = (where: unknown): unknown => ({ aggregate: 'count', of: { where } });
const price = (comparing: object): unknown => count({ path: 'properties.price', ...comparing });
const nested = (deep: number): unknown => (deep === 0 ? { trait: 'plan', is: 'pro' } : { not: nested(deep - 1) });

describe('what is no expression', () => {
  test.each<[unknown, string]>([
    // Names that there are not, and what was meant.
    [price({ abov: 3 }), 'compute.of.where.abov: there is no abov here; was above meant?'],
    [price({ gt: 3 }), 'compute.of.where.gt: there is no gt here; was above meant?'],
    [
      { aggregate: 'count', of: { where: { and: [] } } },
      'compute.of.where: must have one of path, all, any, not; was all meant?',
    ],
    [
      { aggregate: 'avg', value: 'properties.price' },
      'compute.aggregate: must be one of count, daysSince, sum, average, min, max, first, last, mostFrequent, uniqueList, uniqueCount; was average meant?',
    ],
    [{ aggregate: 'sum', valeu: 'properties.price' }, 'compute.valeu: there is no valeu here; was value meant?'],
    [{ aggregate: 'count', of: { evnt: 'Signed Up' } }, 'compute.of.evnt: there is no evnt here; was event meant?'],
    [
      { aggregate: 'count', of: { type: 'tracks' } },
      'compute.of.type: must be one of track, page, screen, identify, group, alias; was track meant?',
    ],
    [{ trait: 'plan', equals: 'pro' }, 'compute.equals: there is no equals here; was is meant?'],
    [
      { triat: 'plan', is: 'pro' },
      'compute: must have one of trait, computed, aggregate, all, any, not; was trait meant?',
    ],
    [{ any: [{ trait: 'plan', is: 'pro' }], ANY: 3 }, 'compute.ANY: there is no ANY here; was any meant?'],
    // Types.
    [
      count({
        all: [
          { path: 'properties.plan', is: 'pro' },
          { path: 'properties.price', above: '3' },
        ],
      }),
      'compute.of.where.all[1].above: must be a number, not a text',
    ],
    [price({ contains: 3 }), 'compute.of.where.contains: must be a text, not a number'],
    [price({ is: {} }), 'compute.of.where.is: must be a text, a number, true or false'],
    [price({ oneOf: 'pro' }), 'compute.of.where.oneOf: must be a list, not a text'],
    [price({ oneOf: [] }), 'compute.of.where.oneOf: must not be empty'],
    [
      price({ after: 'yesterday' }),
      'compute.of.where.after: must be a day or a time such as 2026-03-01 or 2026-03-01T12:00:00Z',
    ],
    [{ aggregate: 'sum' }, 'compute.value: value is missing'],
    [
      { aggregate: 'sum', value: 'price' },
      'compute.value: must be a path such as properties.price, traits.plan or context.page.path; or time.hour or time.weekday',
    ],
    [
      { aggregate: 'mostFrequent', value: 'time.hours' },
      'compute.value: must be a path such as properties.price, traits.plan or context.page.path; or time.hour or time.weekday',
    ],
    [{ aggregate: 'mostFrequent', value: { time: 'hour' } }, 'compute.value: must be a text, not an object'],
    [
      { aggregate: 'count', of: 'Order Completed' },
      'compute.of: must be an object that says which events, such as {"event": "Order Completed"}',
    ],
    [{ aggregate: 'count', of: { event: [] } }, 'compute.of.event: must not be empty'],
    [
      { aggregate: 'mostFrequent', value: 'properties.plan', above: 3 },
      'compute.above: can never hold: mostFrequent is a text',
    ],
    [{ aggregate: 'count', contains: 'pro' }, 'compute.contains: can never hold: count is a number'],
    [{ aggregate: 'count', is: 'pro' }, 'compute.is: can never hold: count is a number'],
    [
      { aggregate: 'mostFrequent', value: 'time.hour', startsWith: '1' },
      'compute.startsWith: can never hold: mostFrequent is a number',
    ],
    [
      { aggregate: 'mostFrequent', value: 'time.hour', atLeast: 24 },
      'compute.atLeast: can never hold: time.hour is a whole number from 0 to 23',
    ],
    [
      { aggregate: 'uniqueList', value: 'time.weekday', includes: 8 },
      'compute.includes: can never hold: time.weekday is a whole number from 1 to 7',
    ],
    [
      count({ path: 'time.weekday', oneOf: [0, 8] }),
      'compute.of.where.oneOf: can never hold: time.weekday is a whole number from 1 to 7',
    ],
    [
      count({ path: 'time.hour', above: 22, below: 23 }),
      'compute.of.where.above: can never hold: time.hour is a whole number from 0 to 23',
    ],
    [
      count({ path: 'time.hour', exists: false }),
      'compute.of.where.exists: can never hold: time.hour is a whole number from 0 to 23',
    ],
    [count({ path: 'time.hour', is: '8' }), 'compute.of.where.is: can never hold: time.hour is a number'],
    [{ not: [] }, 'compute.not: must be a question: an object with one of trait, computed, aggregate, all, any, not'],
    [{ all: [] }, 'compute.all: must be a list of at least one question'],
    [
      { trait: 'plan' },
      'compute: must compare: with one of is, oneOf, above, atLeast, below, atMost, contains, startsWith, endsWith, includes, after, before, newerThan, olderThan, exists',
    ],
    ['count', 'compute: must be a question: an object with one of trait, computed, aggregate, all, any, not'],
    [null, 'compute: must be a question: an object with one of trait, computed, aggregate, all, any, not'],
    [{ any: [{ trait: 'plan', is: 'pro' }], all: [] }, 'compute.any: must not stand beside all'],
    // What can never hold.
    [
      price({ above: 5, below: 3 }),
      'compute.of.where.below: can never hold beside above: no number is above 5 and below 3',
    ],
    [
      price({ atLeast: 3, below: 3 }),
      'compute.of.where.below: can never hold beside atLeast: no number is atLeast 3 and below 3',
    ],
    [
      price({ above: 3, startsWith: 'p' }),
      'compute.of.where.startsWith: can never hold beside above: nothing is a number and a text',
    ],
    [price({ is: 'pro', startsWith: 'x' }), 'compute.of.where.is: can never hold beside what else is said'],
    [price({ oneOf: [1, 2], above: 2 }), 'compute.of.where.oneOf: can never hold beside what else is said'],
    [price({ exists: false, above: 2 }), 'compute.of.where.exists: can never hold beside above'],
    [
      price({ after: '2026-03-01', before: '2026-02-01' }),
      'compute.of.where.before: can never hold beside after: no time is after 2026-03-01 and before 2026-02-01',
    ],
    [
      price({ newerThan: { days: 3 }, olderThan: { days: 3 } }),
      'compute.of.where.olderThan: can never hold beside newerThan',
    ],
    // Windows.
    [{ aggregate: 'count', within: { days: 0 } }, 'compute.within.days: must be at least 1'],
    [{ aggregate: 'count', within: { days: -7 } }, 'compute.within.days: must be at least 1'],
    [{ aggregate: 'count', within: { days: 1.5 } }, 'compute.within.days: must be a whole number'],
    [{ aggregate: 'count', within: { days: 3_651 } }, 'compute.within.days: must be at most 3650, which are ten years'],
    [{ aggregate: 'count', within: { hours: 745 } }, 'compute.within.hours: must be at most 744; say days'],
    [{ aggregate: 'count', within: { day: 3 } }, 'compute.within.day: there is no day here; was days meant?'],
    [
      { aggregate: 'count', within: { days: 3, hours: 3 } },
      'compute.within.hours: there is no hours here; was hours meant?',
    ],
    [{ aggregate: 'count', within: 30 }, 'compute.within: must be a window such as {"days": 30} or {"hours": 12}'],
    [{ trait: 'born', olderThan: { days: 0 } }, 'compute.olderThan.days: must be at least 1'],
    // Sizes, and names that are none.
    [
      nested(MOST_DEPTH + 1),
      `compute${'.not'.repeat(MOST_DEPTH + 1)}: all, any and not must stand at most ${MOST_DEPTH} deep in one another`,
    ],
    [
      price({ oneOf: Array.from({ length: MOST_NODES }, (_, n) => n) }),
      `compute: must have at most ${MOST_NODES} objects, lists and values in all`,
    ],
    [price({ is: 'a'.repeat(1_001) }), 'compute.of.where.is: must be at most 1000 characters'],
    [price({ contains: 'a'.repeat(1_001) }), 'compute.of.where.contains: must be at most 1000 characters'],
    [
      JSON.parse('{"trait": "plan", "is": "pro", "__proto__": {}}'),
      'compute.__proto__: must not be the name of a member',
    ],
  ])('%j: %s', (json, fault) => {
    expect(faultsOf(json)).toEqual([fault]);
  });

  test('is told all of at once', () => {
    expect(
      faultsOf({
        any: [
          { trait: 'plan', iss: 'pro' },
          { aggregate: 'count', within: { days: 0 }, atLeast: '3' },
        ],
      }),
    ).toEqual([
      'compute.any[0].iss: there is no iss here; was is meant?',
      'compute.any[1].within.days: must be at least 1',
      'compute.any[1].atLeast: must be a number, not a text',
    ]);
  });

  test('is told with its place where it is part of a definition', () => {
    const definition = z.strictObject({ compute });
    const asked = { aggregate: 'count', of: {} };
    expect(definition.parse({ compute: { aggregate: 'count' } })).toEqual({ compute: asked });
    expect(definition.safeParse({ compute: { ...asked, within: { days: 0 } } }).error?.issues).toMatchObject([
      { path: ['compute', 'within', 'days'], message: 'must be at least 1' },
    ]);
  });

  test('is none of what may be asked', () => {
    expect(faultsOf(nested(MOST_DEPTH))).toEqual([]);
    fc.assert(
      fc.property(fc.oneof(aggregates, conditions), (json) => {
        const read = parseExpression(JSON.parse(JSON.stringify(json)));
        // Random bounds may exclude one another.
        if ('faults' in read) for (const { wrong } of read.faults) expect(wrong).toMatch(/^can never hold/);
        else expect(read.expression).toEqual(json);
      }),
      { numRuns: 1_000 },
    );
  });

  test('never breaks what reads it', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 6 }),
        fc.constantFrom('all', 'of', 'within', 'where', 'is'),
        (json, name) => {
          expect(faultsOf({ aggregate: 'count', [name]: json })).toBeInstanceOf(Array);
          expect(faultsOf(json).length).toBeGreaterThan(0);
        },
      ),
    );
    let deep: unknown = 1;
    for (let n = 0; n < 100_000; n++) deep = n % 2 === 0 ? [deep] : { not: deep };
    expect(faultsOf(deep).length).toBe(1);
  });
});
