import { z } from 'zod';

/*
 * The language in which computed traits say what they are made of: a JSON tree, of which a document, a fold and SQL are made. Nothing is
 * converted: a number is no text, and what is missing, null or of another type than it is compared with does not hold.
 */

const scalar = z.union([z.string(), z.number(), z.boolean()]);
export type Scalar = z.infer<typeof scalar>;

/** Where in an event's payload: `properties.price`. Names with dots in them cannot be said. */
const path = z.string().regex(/^(properties|traits|context)(\.[^.]+)+$/, 'not a path such as properties.price');

/** How a value compares; where several are said, all must hold. */
const comparison = {
  is: scalar.optional(),
  oneOf: z.array(scalar).min(1).max(1_000).optional(),
  above: z.number().optional(),
  atLeast: z.number().optional(),
  below: z.number().optional(),
  atMost: z.number().optional(),
  contains: z.string().min(1).optional(),
  startsWith: z.string().min(1).optional(),
  endsWith: z.string().min(1).optional(),
  /** A list that has this among its elements. */
  includes: scalar.optional(),
  /** Whether there is a value, other than null. */
  exists: z.boolean().optional(),
};
const comparisons = Object.keys(comparison);

const leaf = z
  .strictObject({ path, ...comparison })
  .refine(
    (one) => comparisons.some((name) => Object.hasOwn(one, name)),
    `says nothing: one of ${comparisons.join(', ')}`,
  );
export type Comparison = z.infer<typeof leaf>;

export type Test =
  | Comparison
  | { readonly all: readonly Test[] }
  | { readonly any: readonly Test[] }
  | { readonly not: Test };

/** A question about one event. */
export const test: z.ZodType<Test> = z.lazy(() =>
  z.union([
    leaf,
    z.strictObject({ all: z.array(test).min(1) }),
    z.strictObject({ any: z.array(test).min(1) }),
    z.strictObject({ not: test }),
  ]),
);

const names = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

/** Which events: all, unless it says less. */
const events = z.strictObject({
  /** Name of a track event, or one of several. */
  event: names.optional(),
  type: z.enum(['track', 'page', 'screen', 'identify', 'group', 'alias']).optional(),
  source: names.optional(),
  where: test.optional(),
});
export type Events = z.infer<typeof events>;

/**
 * How far back: so many days or hours, the one of now among them, in UTC. They begin and end on the edges of days and hours, the beginning
 * among them and the end not, so that what is counted can be kept by day and hour.
 */
const window = z.union([
  z.strictObject({ days: z.number().int().min(1).max(3_650) }),
  z.strictObject({ hours: z.number().int().min(1).max(744) }),
]);
export type Window = z.infer<typeof window>;

const over = { of: events.default({}), within: window.optional() };

/** One value from many events. */
export const aggregate = z.discriminatedUnion('aggregate', [
  z.strictObject({ aggregate: z.literal('count'), ...over }),
  /** Whole days since the day of the newest. */
  z.strictObject({ aggregate: z.literal('daysSince'), ...over }),
  /** Of numbers: exact to the sixth place, those beyond nine thousand million left out. */
  z.strictObject({ aggregate: z.enum(['sum', 'average']), value: path, ...over }),
  z.strictObject({ aggregate: z.enum(['min', 'max']), value: path, ...over }),
  /** Of texts, numbers and truth values: that of the earliest or latest event, by time, then message id, then source. */
  z.strictObject({ aggregate: z.enum(['first', 'last']), value: path, ...over }),
  /** Of texts; of several as frequent, and where there are too many for a list, the smaller by their UTF-8 bytes. */
  z.strictObject({ aggregate: z.enum(['mostFrequent', 'uniqueList', 'uniqueCount']), value: path, ...over }),
]);
export type Aggregate = z.infer<typeof aggregate>;

export const MOST_IN_A_LIST = 100;
export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;
/** Numbers are added as millionths, which a double holds exactly up to here. */
export const LARGEST_SUMMAND = 9_000_000_000;
export const MICROS = 1_000_000;

const lengthOf = (within: Window): number => ('days' in within ? DAY_MS : HOUR_MS);

/** When the day or hour began in which this moment lies, milliseconds. */
export const edgeBefore = (within: Window, at: number): number => Math.floor(at / lengthOf(within)) * lengthOf(within);

/** The times that a window holds at this moment, milliseconds: from the first, below the second. */
export function timesOf(within: Window, now: number): readonly [from: number, to: number] {
  const length = lengthOf(within);
  const count = 'days' in within ? within.days : within.hours;
  const current = edgeBefore(within, now);
  return [current - (count - 1) * length, current + length];
}
