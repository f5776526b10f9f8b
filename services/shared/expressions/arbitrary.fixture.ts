import fc from 'fast-check';
import type { AskedEvent } from './evaluate.ts';
import type { Aggregate, Comparison, Events, Scalar, Test, Window } from './expression.ts';

/** Events and questions for tests: few names and values, so that they meet often. */

const texts = fc.constantFrom(
  '',
  'pro',
  'Pro',
  'prof',
  'a "quoted" \\ one',
  'Zürich',
  '東京',
  '🦊',
  '10',
  'true',
  'null',
);
const numbers = fc.oneof(
  fc.integer({ min: -3, max: 12 }),
  fc.constantFrom(0.1, 0.2, 19.99, 0.57, 6e-7, 1e-7, -2.5, 1e15, 9_000_000_000, 1e300),
);
const scalars: fc.Arbitrary<Scalar> = fc.oneof(texts, numbers, fc.boolean());
const values: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: scalars },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 2, arbitrary: fc.array(fc.oneof(scalars, fc.constant(null)), { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.record({ id: scalars }, { requiredKeys: [] }) },
);
const members = fc.record(
  { price: numbers, plan: texts, tags: values, any: values, cart: fc.record({ total: values }, { requiredKeys: [] }) },
  { requiredKeys: [] },
);
const paths = fc.constantFrom(
  'properties.price',
  'properties.plan',
  'properties.tags',
  'properties.any',
  'properties.cart.total',
  'properties.any.id',
  'properties.none',
  'traits.plan',
  'context.any',
);
const names = fc.constantFrom('Order Completed', 'Product Viewed', 'Signed Up');
const sources = fc.constantFrom('web', 'app');
const types = fc.constantFrom('track', 'page', 'identify');

/** @param now milliseconds: they lie around it, many on edges of hours and days */
export const events = (now: number): fc.Arbitrary<AskedEvent[]> => {
  const day = Math.floor(now / 86_400_000) * 86_400_000;
  const timestamp = fc
    .tuple(fc.integer({ min: -5, max: 1 }), fc.constantFrom(0, 13, 14, 23), fc.constantFrom(0, 1, 3_599_999))
    .map(([days, hours, ms]) => day + days * 86_400_000 + hours * 3_600_000 + ms);
  const payload = fc
    .record({ properties: members, traits: members, context: members }, { requiredKeys: ['properties'] })
    .map((one) => JSON.stringify(one));
  return fc
    .array(fc.record({ type: types, event: fc.option(names), source: sources, timestamp, payload }), { maxLength: 30 })
    .map((drafts) => drafts.map((draft, n) => ({ ...draft, message_id: `m${n % 7}-${n}` })));
};

const bound = fc.integer({ min: -3, max: 12 });
const comparison: fc.Arbitrary<Comparison> = fc
  .tuple(
    paths,
    fc.oneof(
      scalars.map((is) => ({ is })),
      fc.array(scalars, { minLength: 1, maxLength: 3 }).map((oneOf) => ({ oneOf })),
      bound.map((above) => ({ above })),
      bound.map((atMost) => ({ atMost })),
      fc.tuple(bound, bound).map(([atLeast, below]) => ({ atLeast, below })),
      fc.constantFrom('p', 'ro', 'ü', '"', '🦊').map((contains) => ({ contains })),
      fc.constantFrom('p', 'P', '東').map((startsWith) => ({ startsWith })),
      fc.constantFrom('o', 'f', '京', 'e').map((endsWith) => ({ endsWith })),
      scalars.map((includes) => ({ includes })),
      fc.boolean().map((exists) => ({ exists })),
    ),
  )
  .map(([path, rest]) => ({ path, ...rest }));

export const tests = (depth: number): fc.Arbitrary<Test> =>
  depth === 1
    ? comparison
    : fc.oneof(
        { weight: 2, arbitrary: comparison },
        { weight: 1, arbitrary: fc.array(tests(depth - 1), { minLength: 1, maxLength: 3 }).map((all) => ({ all })) },
        { weight: 2, arbitrary: fc.array(tests(depth - 1), { minLength: 1, maxLength: 3 }).map((any) => ({ any })) },
        { weight: 2, arbitrary: tests(depth - 1).map((not) => ({ not })) },
      );

const someOf = (one: fc.Arbitrary<string>): fc.Arbitrary<string | string[]> =>
  fc.oneof(one, fc.uniqueArray(one, { minLength: 1, maxLength: 2 }));
const of: fc.Arbitrary<Events> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({}) },
  // Alone these ask for a third or half of the events.
  {
    weight: 2,
    arbitrary: fc.oneof(
      someOf(sources).map((source) => ({ source })),
      types.map((type) => ({ type })),
    ),
  },
  { weight: 1, arbitrary: bound.map((atLeast) => ({ where: { path: 'properties.price', atLeast } })) },
  {
    weight: 2,
    arbitrary: fc.record(
      { event: someOf(names), type: types, source: someOf(sources), where: tests(4) },
      { requiredKeys: [] },
    ) as fc.Arbitrary<Events>,
  },
);
const within: fc.Arbitrary<Window | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.integer({ min: 1, max: 4 }).map((days) => ({ days })),
  fc.integer({ min: 1, max: 60 }).map((hours) => ({ hours })),
);

const numbersIn = fc.oneof({ weight: 3, arbitrary: fc.constant('properties.price') }, paths);
const textsIn = fc.oneof({ weight: 3, arbitrary: fc.constant('properties.plan') }, paths);
export const aggregates: fc.Arbitrary<Aggregate> = fc
  .tuple(
    fc.oneof(
      fc.constantFrom('count', 'daysSince').map((aggregate) => ({ aggregate })),
      fc.record({ aggregate: fc.constantFrom('sum', 'average', 'min', 'max'), value: numbersIn }),
      fc.record({ aggregate: fc.constantFrom('first', 'last'), value: paths }),
      fc.record({ aggregate: fc.constantFrom('mostFrequent', 'uniqueList', 'uniqueCount'), value: textsIn }),
    ),
    of,
    within,
  )
  .map(([what, of, within]) => ({ ...what, of, ...(within && { within }) }) as Aggregate);
