import fc from 'fast-check';
import type { AskedEvent } from './evaluate.ts';
import {
  type Aggregate,
  type Comparing,
  type Condition,
  type Events,
  type PartOfTime,
  type Scalar,
  type Test,
  valuesOf,
  type Window,
} from './expression.ts';
import { momentOf } from './moment.ts';

/** Events and questions for tests: few names and values, so that they meet often. */

/** The day after clocks are changed in America/St_Johns, milliseconds. */
export const NOW = Date.UTC(2026, 2, 9, 13, 30);

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
  { weight: 3, arbitrary: fc.constantFrom('2026-03-07', '2026-03-09', '2026-03-06T10:00:00Z') },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 2, arbitrary: fc.array(fc.oneof(scalars, fc.constant(null)), { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.record({ id: scalars }, { requiredKeys: [] }) },
);
/** Days and times near now, and what is none. */
const moments = fc.constantFrom(
  '2026-02-28',
  '2026-03-08',
  '2026-03-09',
  '2026-03-09T12:00',
  '2026-03-09 13:59:59.999',
  '2026-03-09T23:30:00Z',
  // Left out in America/St_Johns.
  '2026-03-08T02:30',
  '2026-02-29',
  '2026-03-07T18:15:00+05:45',
  '2026-03-08T20:29:00.5-03:30',
  '1926-02-28',
  '2024-02-29T24:00',
);

const members = fc.record(
  {
    price: numbers,
    plan: texts,
    due: moments,
    tags: values,
    any: values,
    cart: fc.record({ total: values }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
const paths = fc.constantFrom(
  'properties.price',
  'properties.plan',
  'properties.due',
  'properties.tags',
  'properties.any',
  'properties.cart.total',
  'properties.any.id',
  'properties.none',
  'traits.plan',
  'context.any',
);
const partsOfTime = fc.constantFrom<PartOfTime[]>('time.hour', 'time.weekday');
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
const days = fc.integer({ min: 1, max: 9 }).map((days) => ({ days }));
const hours = fc.integer({ min: 1, max: 60 }).map((hours) => ({ hours }));
const boundMoment = moments.filter((text) => momentOf(text, 'UTC') !== undefined);
const inTime: fc.Arbitrary<Comparing> = fc.oneof(
  boundMoment.map((after) => ({ after })),
  boundMoment.map((before) => ({ before })),
  fc.oneof(days, hours).map((newerThan) => ({ newerThan })),
  fc.oneof(days, hours).map((olderThan) => ({ olderThan })),
);
const comparing: fc.Arbitrary<Comparing> = fc.oneof(
  scalars.map((is) => ({ is })),
  fc.array(scalars, { minLength: 1, maxLength: 3 }).map((oneOf) => ({ oneOf })),
  bound.map((above) => ({ above })),
  bound.map((atMost) => ({ atMost })),
  fc.tuple(bound, bound).map(([atLeast, below]) => ({ atLeast, below })),
  fc.constantFrom('p', 'ro', 'ü', '"', '🦊').map((contains) => ({ contains })),
  fc.constantFrom('p', 'P', '東', '2026').map((startsWith) => ({ startsWith })),
  fc.constantFrom('o', 'f', '京', 'e').map((endsWith) => ({ endsWith })),
  scalars.map((includes) => ({ includes })),
  fc.boolean().map((exists) => ({ exists })),
  inTime,
);
const comparingTime = (part: PartOfTime): fc.Arbitrary<Comparing> => {
  const value = fc.constantFrom(...valuesOf(part));
  return fc.oneof(
    value.map((is) => ({ is })),
    value.map((atLeast) => ({ atLeast })),
    value.map((below) => ({ below })),
    fc.uniqueArray(value, { minLength: 1, maxLength: 9 }).map((oneOf) => ({ oneOf })),
    value.map((includes) => ({ includes })),
  );
};
const comparison = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(paths, comparing).map(([path, rest]) => ({ path, ...rest })) },
  { weight: 1, arbitrary: inTime.map((rest) => ({ path: 'properties.due', ...rest })) },
  {
    weight: 1,
    arbitrary: partsOfTime.chain((path) => fc.oneof(comparing, comparingTime(path)).map((rest) => ({ path, ...rest }))),
  },
);

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
    weight: 1,
    arbitrary: partsOfTime.chain((path) => comparingTime(path).map((rest) => ({ where: { path, ...rest } }))),
  },
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

const anywhere = fc.oneof({ weight: 4, arbitrary: paths }, { weight: 1, arbitrary: partsOfTime });
const numbersIn = fc.oneof({ weight: 3, arbitrary: fc.constant('properties.price') }, anywhere);
const textsIn = fc.oneof({ weight: 3, arbitrary: fc.constant('properties.plan') }, paths, partsOfTime);
export const aggregates: fc.Arbitrary<Aggregate> = fc
  .tuple(
    fc.oneof(
      fc.constantFrom('count', 'daysSince').map((aggregate) => ({ aggregate })),
      fc.record({ aggregate: fc.constantFrom('sum', 'average', 'min', 'max'), value: numbersIn }),
      fc.record({ aggregate: fc.constantFrom('first', 'last'), value: anywhere }),
      fc.record({ aggregate: fc.constantFrom('mostFrequent', 'uniqueList', 'uniqueCount'), value: textsIn }),
    ),
    of,
    within,
  )
  .map(([what, of, within]) => ({ ...what, of, ...(within && { within }) }) as Aggregate);

const traitNames = fc.constantFrom('plan', 'due', 'any', 'none');
const computedNames = fc.constantFrom('orders', 'likes', 'due');

export const profiles = fc
  .tuple(
    fc.record({ plan: texts, due: moments, any: values }, { requiredKeys: [] }),
    fc.record({ orders: numbers, likes: values, due: moments }, { requiredKeys: [] }),
  )
  .map(([traits, computed]) => ({ traits: asTexts(traits), computed: asTexts(computed) }));

const asTexts = (values: object): ReadonlyMap<string, string> =>
  new Map(Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)]));

/** Bounds that split people by how many events they have. */
const counted = fc.record({ aggregate: fc.constant('count'), of, atLeast: fc.integer({ min: 0, max: 20 }) });
const ofProfile: fc.Arbitrary<Condition> = fc.oneof(
  fc.tuple(traitNames, comparing).map(([trait, rest]) => ({ trait, ...rest })),
  fc.tuple(computedNames, comparing).map(([computed, rest]) => ({ computed, ...rest })),
  fc.oneof(
    inTime.map((rest) => ({ trait: 'due', ...rest })),
    bound.map((above) => ({ computed: 'orders', above })),
  ),
  fc.tuple(aggregates, comparing).map(([asked, rest]) => ({ ...asked, ...rest })),
  fc
    .record({ aggregate: fc.constantFrom('mostFrequent', 'uniqueList', 'last'), value: partsOfTime, of })
    .chain((asked) => comparingTime(asked.value).map((rest) => ({ ...asked, ...rest }) as Condition)),
  fc.tuple(counted, within).map(([asked, within]) => ({ ...asked, ...(within && { within }) }) as Condition),
);

const conditionsUpTo = (depth: number): fc.Arbitrary<Condition> =>
  depth === 1
    ? ofProfile
    : fc.oneof(
        { weight: 2, arbitrary: ofProfile },
        {
          weight: 1,
          arbitrary: fc.array(conditionsUpTo(depth - 1), { minLength: 1, maxLength: 3 }).map((all) => ({ all })),
        },
        {
          weight: 1,
          arbitrary: fc.array(conditionsUpTo(depth - 1), { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
        },
        { weight: 1, arbitrary: conditionsUpTo(depth - 1).map((not) => ({ not })) },
      );
export const conditions = conditionsUpTo(4);
export const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Asia/Kathmandu', 'Pacific/Apia');
