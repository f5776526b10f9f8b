import { z } from 'zod';
import { momentOf } from './moment.ts';
import { dayOf, startOfDay } from './zone.ts';

/*
 * The language in which computed traits say what they are made of: a JSON tree, of which a document, a fold and SQL are made. Nothing is
 * converted: a number is no text, and what is missing, null or of another type than it is compared with does not hold.
 */

export const LONGEST_TEXT = 1_000;
const text = z.string().max(LONGEST_TEXT);
const someText = text.min(1);
const scalar = z.union([text, z.number(), z.boolean()], 'must be a text, a number, true or false');
export type Scalar = string | number | boolean;

/** What clocks of the time zone show when an event happens, as whole numbers from the first to the last. */
const partsOfTime = { 'time.hour': [0, 23], 'time.weekday': [1, 7] } as const;
export type PartOfTime = keyof typeof partsOfTime;
export const isPartOfTime = (path: string): path is PartOfTime => Object.hasOwn(partsOfTime, path);
export function valuesOf(part: PartOfTime): readonly number[] {
  const [first, last] = partsOfTime[part];
  return Array.from({ length: last - first + 1 }, (_, n) => first + n);
}

/** Names with dots in them cannot be said. */
const path = someText
  .regex(
    /^((properties|traits|context)(\.[^.]+)+|time\.(hour|weekday))$/,
    'must be a path such as properties.price, traits.plan or context.page.path; or time.hour or time.weekday',
  )
  .describe(
    'Where in an event: `properties.price`. Or when it happened, in the time zone: `time.hour` (0 to 23), `time.weekday` (1, Monday, to 7).',
  );

const window = z
  .union([
    z.strictObject({ days: z.number().int().min(1).max(3_650) }),
    z.strictObject({ hours: z.number().int().min(1).max(744) }),
  ])
  .describe(
    'So many days or hours, the one of now among them. They begin and end on the edges of days, of the time zone, and hours; the beginning is among them and the end is not.',
  );
/** Half-open and on edges, so that what is counted can be kept by day and hour. */
export type Window = z.infer<typeof window>;

const moment = someText
  .refine(
    (said) => momentOf(said, 'UTC') !== undefined,
    'must be a day or a time such as 2026-03-01 or 2026-03-01T12:00:00Z',
  )
  .describe('A day, which is when it begins, or a time; in the time zone, if it does not say what it is ahead of UTC.');

/** How a value compares; where several are said, all must hold. */
const comparison = {
  is: scalar.optional().describe('Is the same text, number or truth value.'),
  oneOf: z.array(scalar).min(1).optional().describe('Is one of these.'),
  above: z.number().optional().describe('A number greater than this.'),
  atLeast: z.number().optional().describe('A number as great, or greater.'),
  below: z.number().optional().describe('A number less than this.'),
  atMost: z.number().optional().describe('A number as small, or less.'),
  contains: someText.optional().describe('A text with this in it.'),
  startsWith: someText.optional().describe('A text that begins so.'),
  endsWith: someText.optional().describe('A text that ends so.'),
  includes: scalar.optional().describe('A list that has this among its elements.'),
  after: moment.optional().describe('A text that is a time of ISO 8601: this one, or later.'),
  before: moment.optional().describe('A text that is a time of ISO 8601: earlier than this.'),
  newerThan: window
    .optional()
    .describe(
      'A text that is a time: of so many last days or hours, or yet to come. Of an event: as seen when it happened.',
    ),
  olderThan: window
    .optional()
    .describe(
      'A text that is a time: before all of so many last days or hours. Of an event: as seen when it happened.',
    ),
  exists: z.boolean().optional().describe('Whether there is a value, other than null.'),
};
export type Comparing = z.infer<z.ZodObject<typeof comparison>>;
export const comparisons = Object.keys(comparison);

const says = (one: object): boolean => comparisons.some((name) => Object.hasOwn(one, name));
const SAYS_NOTHING = `must compare: with one of ${comparisons.join(', ')}`;

export const leaf = z.strictObject({ path, ...comparison }).refine(says, SAYS_NOTHING);
export type Comparison = z.infer<typeof leaf>;

export type Test =
  | Comparison
  | { readonly all: readonly Test[] }
  | { readonly any: readonly Test[] }
  | { readonly not: Test };

/** A question about one event. */
const test: z.ZodType<Test> = z
  .lazy(() =>
    z.union([
      leaf,
      z.strictObject({ all: z.array(test).min(1) }),
      z.strictObject({ any: z.array(test).min(1) }),
      z.strictObject({ not: test }),
    ]),
  )
  .meta({ id: 'Test', description: 'A question about one event.' });

const names = z.union([someText, z.array(someText).min(1)], 'must be a name, or a list of names');

export const events = z
  .strictObject({
    event: names.optional().describe('Name of a track event, or one of several.'),
    type: z.enum(['track', 'page', 'screen', 'identify', 'group', 'alias']).optional(),
    source: names.optional().describe('Name of a source, or one of several.'),
    where: test.optional(),
  })
  .describe('Which events: all, unless it says less.');
export type Events = z.infer<typeof events>;

const over = { of: events.default({}), within: window.optional().describe('How far back. None: for ever.') };

const count = { aggregate: z.literal('count'), ...over };
const daysSince = { aggregate: z.literal('daysSince').describe('Whole days since the day of the newest.'), ...over };
const total = {
  aggregate: z
    .enum(['sum', 'average'])
    .describe('Of numbers: exact to the sixth place, those beyond nine thousand million left out.'),
  value: path,
  ...over,
};
const extreme = { aggregate: z.enum(['min', 'max']).describe('Of numbers.'), value: path, ...over };
const atAnEnd = {
  aggregate: z
    .enum(['first', 'last'])
    .describe(
      'Of texts, numbers and truth values: that of the earliest or latest event, by time, then message id, then source.',
    ),
  value: path,
  ...over,
};
const ofTexts = {
  aggregate: z
    .enum(['mostFrequent', 'uniqueList', 'uniqueCount'])
    .describe(
      'Of texts, or of a part of the time. Of several as frequent, and where there are too many for a list, the smaller: of texts by their UTF-8 bytes.',
    ),
  value: path,
  ...over,
};

const kinds = [count, daysSince, total, extreme, atAnEnd, ofTexts] as const;

/** One value from many events. */
export const aggregate = z
  .discriminatedUnion('aggregate', [
    z.strictObject(count),
    z.strictObject(daysSince),
    z.strictObject(total),
    z.strictObject(extreme),
    z.strictObject(atAnEnd),
    z.strictObject(ofTexts),
  ])
  .meta({ id: 'Aggregate', description: 'One value from many events.' });
export type Aggregate = z.infer<typeof aggregate>;
export const aggregates = kinds.flatMap(({ aggregate }) =>
  'options' in aggregate ? aggregate.options : [...aggregate.values],
);

/** What an aggregate answers, and how that compares. */
const compared = z
  .discriminatedUnion('aggregate', [
    z.strictObject({ ...count, ...comparison }).refine(says, SAYS_NOTHING),
    z.strictObject({ ...daysSince, ...comparison }).refine(says, SAYS_NOTHING),
    z.strictObject({ ...total, ...comparison }).refine(says, SAYS_NOTHING),
    z.strictObject({ ...extreme, ...comparison }).refine(says, SAYS_NOTHING),
    z.strictObject({ ...atAnEnd, ...comparison }).refine(says, SAYS_NOTHING),
    z.strictObject({ ...ofTexts, ...comparison }).refine(says, SAYS_NOTHING),
  ])
  .meta({ id: 'ComparedAggregate', description: 'What the events of a profile come to, and how that compares.' });

export const ofTrait = z
  .strictObject({ trait: someText.describe('Name of a trait.'), ...comparison })
  .refine(says, SAYS_NOTHING);
export const ofComputed = z
  .strictObject({ computed: someText.describe('Name of a computed trait.'), ...comparison })
  .refine(says, SAYS_NOTHING);

export type ProfileTest = z.infer<typeof ofTrait> | z.infer<typeof ofComputed> | (Aggregate & Comparing);
export type Condition =
  | ProfileTest
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition };

/** A question about one profile. */
export const condition: z.ZodType<Condition> = z
  .lazy(() =>
    z.union([
      ofTrait,
      ofComputed,
      compared,
      z.strictObject({ all: z.array(condition).min(1) }),
      z.strictObject({ any: z.array(condition).min(1) }),
      z.strictObject({ not: condition }),
    ]),
  )
  .meta({ id: 'Condition', description: 'A question about one profile.' });

/** What a computed trait is: one value from many events, or whether something holds of the profile. */
export type Expression = Aggregate | Condition;
export const expression = z.union([aggregate, condition]);

export const isAggregate = (asked: Expression): asked is Aggregate => 'aggregate' in asked && !says(asked);

export const MOST_IN_A_LIST = 100;
export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;
/** Numbers are added as millionths, which a double holds exactly up to here. */
export const LARGEST_SUMMAND = 9_000_000_000;
export const MICROS = 1_000_000;

/** When the day or hour began in which this moment lies, milliseconds. */
export const edgeBefore = (within: Window, at: number, zone = 'UTC'): number =>
  'days' in within ? startOfDay(zone, dayOf(zone, at)) : Math.floor(at / HOUR_MS) * HOUR_MS;

/** The times that a window holds at this moment, milliseconds: from the first, below the second. */
export function timesOf(within: Window, now: number, zone = 'UTC'): readonly [from: number, to: number] {
  if ('days' in within) {
    const today = dayOf(zone, now);
    return [startOfDay(zone, today - within.days + 1), startOfDay(zone, today + 1)];
  }
  const current = edgeBefore(within, now);
  return [current - (within.hours - 1) * HOUR_MS, current + HOUR_MS];
}

/** From when on a window no longer holds a moment that it has held, milliseconds. */
export const leftBy = (within: Window, at: number, zone = 'UTC'): number =>
  'days' in within ? startOfDay(zone, dayOf(zone, at) + within.days) : edgeBefore(within, at) + within.hours * HOUR_MS;
