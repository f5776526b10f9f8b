import {
  type Aggregate,
  type Comparing,
  type Condition,
  type Events,
  isPartOfTime,
  LARGEST_SUMMAND,
  MICROS,
  MOST_IN_A_LIST,
  type ProfileTest,
  type Scalar,
  type Test,
  timesOf,
} from './expression.ts';
import { momentOf } from './moment.ts';
import { readJson } from './read-json.ts';
import { dayOf, hourOf, weekdayOf } from './zone.ts';

/** Of an event what the language asks about. */
export interface AskedEvent {
  readonly type: string;
  readonly event: string | null;
  readonly source: string;
  readonly message_id: string;
  /** Milliseconds. */
  readonly timestamp: number;
  /** As JSON. */
  readonly payload: string;
}

/** Undefined: there is none. */
export type Answer = Scalar | readonly string[] | readonly number[] | undefined;

/** All events at once: what the fold and SQL must arrive at. @param now milliseconds */
export function evaluate(asked: Aggregate, events: readonly AskedEvent[], now: number, zone = 'UTC'): Answer {
  const [from, to] = asked.within
    ? timesOf(asked.within, now, zone)
    : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const found = events
    .filter(({ timestamp }) => timestamp >= from && timestamp < to)
    .map((event) => ({ event, payload: readJson(event.payload) }))
    .filter(({ event, payload }) => isAmong(asked.of, event, payload, zone))
    .sort((a, b) => inOrder(a.event, b.event));
  if (asked.aggregate === 'count') return found.length;
  if (asked.aggregate === 'daysSince') {
    const last = found.at(-1)?.event.timestamp;
    return last === undefined ? undefined : Math.max(0, dayOf(zone, now) - dayOf(zone, last));
  }
  const values = found.map(({ event, payload }) => valueAt(asked.value, payload, event.timestamp, zone));
  switch (asked.aggregate) {
    case 'sum':
    case 'average': {
      const micros = values.filter(isSummand).map((value) => BigInt(Math.floor(value * MICROS + 0.5)));
      if (micros.length === 0) return undefined;
      const sum = Number(micros.reduce((a, b) => a + b, 0n));
      return asked.aggregate === 'sum' ? sum / MICROS : sum / micros.length / MICROS;
    }
    case 'min':
    case 'max': {
      const numbers = values.filter((value) => typeof value === 'number').sort((a, b) => a - b);
      return numbers.at(asked.aggregate === 'min' ? 0 : -1);
    }
    case 'first':
      return values.find(isScalar);
    case 'last':
      return values.findLast(isScalar);
    case 'mostFrequent':
      return isPartOfTime(asked.value)
        ? mostFrequent(values.filter(isNumber), bySize)
        : mostFrequent(values.filter(isText), byBytes);
    case 'uniqueList': {
      if (isPartOfTime(asked.value)) return listOf(unique(values.filter(isNumber), bySize));
      return listOf(unique(values.filter(isText), byBytes));
    }
    case 'uniqueCount':
      return new Set(values.filter(isPartOfTime(asked.value) ? isNumber : isText)).size;
  }
}

/** Whether an event is one of those. */
export const isAmong = (of: Events, event: Omit<AskedEvent, 'payload'>, payload: unknown, zone = 'UTC'): boolean =>
  isOneOf(of.event, event.event) &&
  isOneOf(of.source, event.source) &&
  (of.type === undefined || of.type === event.type) &&
  (of.where === undefined || holds(of.where, payload, event.timestamp, zone));

const isOneOf = (names: string | readonly string[] | undefined, name: string | null): boolean =>
  names === undefined || (typeof names === 'string' ? names === name : name !== null && names.includes(name));

function holds(asked: Test, payload: unknown, at: number, zone: string): boolean {
  if ('all' in asked) return asked.all.every((one) => holds(one, payload, at, zone));
  if ('any' in asked) return asked.any.some((one) => holds(one, payload, at, zone));
  if ('not' in asked) return !holds(asked.not, payload, at, zone);
  return compares(valueAt(asked.path, payload, at, zone), asked, at, zone);
}

/** Of a profile what the language asks about. */
export interface AskedProfile {
  /** Their values as JSON, by name. */
  readonly traits: Pick<ReadonlyMap<string, string>, 'get'>;
  readonly computed: Pick<ReadonlyMap<string, string>, 'get'>;
}

/** Whether a condition holds of a profile and its events. */
export const holdsOf = (
  asked: Condition,
  profile: AskedProfile,
  events: readonly AskedEvent[],
  now: number,
  zone = 'UTC',
): boolean => holdsWith(asked, profile, (one) => evaluate(one, events, now, zone), now, zone);

/** @param answer what an aggregate of the profile's events is now */
export function holdsWith(
  asked: Condition,
  profile: AskedProfile,
  answer: (asked: Aggregate) => Answer,
  now: number,
  zone: string,
): boolean {
  if ('all' in asked) return asked.all.every((one) => holdsWith(one, profile, answer, now, zone));
  if ('any' in asked) return asked.any.some((one) => holdsWith(one, profile, answer, now, zone));
  if ('not' in asked) return !holdsWith(asked.not, profile, answer, now, zone);
  return compares('aggregate' in asked ? answer(asked) : saidBy(asked, profile), asked, now, zone);
}

/** The value of a trait or computed trait; undefined: there is none. */
export function saidBy(asked: Exclude<ProfileTest, Aggregate>, { traits, computed }: AskedProfile): unknown {
  const said = 'trait' in asked ? traits.get(asked.trait) : computed.get(asked.computed);
  return said === undefined ? undefined : readJson(said);
}

/** @param at from when times are seen that are said to be new or old, milliseconds */
export function compares(value: unknown, asked: Comparing, at: number, zone: string): boolean {
  const { is, oneOf, above, atLeast, below, atMost, contains, startsWith, endsWith, includes, exists } = asked;
  const number = typeof value === 'number' ? value : Number.NaN;
  const text = typeof value === 'string' ? value : undefined;
  return (
    (is === undefined || value === is) &&
    (oneOf === undefined || oneOf.some((one) => one === value)) &&
    (above === undefined || number > above) &&
    (atLeast === undefined || number >= atLeast) &&
    (below === undefined || number < below) &&
    (atMost === undefined || number <= atMost) &&
    (contains === undefined || text?.includes(contains) === true) &&
    (startsWith === undefined || text?.startsWith(startsWith) === true) &&
    (endsWith === undefined || text?.endsWith(endsWith) === true) &&
    (includes === undefined || (Array.isArray(value) && value.some((one) => one === includes))) &&
    (exists === undefined || (value !== undefined && value !== null) === exists) &&
    comparesInTime(text, asked, at, zone)
  );
}

function comparesInTime(
  text: string | undefined,
  { after, before, newerThan, olderThan }: Comparing,
  at: number,
  zone: string,
): boolean {
  if (after === undefined && before === undefined && !newerThan && !olderThan) return true;
  const moment = text === undefined ? undefined : momentOf(text, zone);
  return (
    moment !== undefined &&
    (after === undefined || moment >= (momentOf(after, zone) as number)) &&
    (before === undefined || moment < (momentOf(before, zone) as number)) &&
    (!newerThan || moment >= timesOf(newerThan, at, zone)[0]) &&
    (!olderThan || moment < timesOf(olderThan, at, zone)[0])
  );
}

/** @param at when the event happened, milliseconds */
export function valueAt(path: string, payload: unknown, at: number, zone: string): unknown {
  if (isPartOfTime(path)) return path === 'time.hour' ? hourOf(zone, at) : weekdayOf(zone, at);
  let value = payload;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
      return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

function inOrder(a: AskedEvent, b: AskedEvent): number {
  return a.timestamp - b.timestamp || byBytes(a.message_id, b.message_id) || byBytes(a.source, b.source);
}

/** In the order of their UTF-8 bytes. */
export function byBytes(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    // Up to the first surrogates the order of UTF-16 is that of UTF-8.
    return x < 0xd800 && y < 0xd800 ? x - y : Buffer.compare(Buffer.from(a), Buffer.from(b));
  }
  return a.length - b.length;
}
export const isText = (value: unknown): value is string => typeof value === 'string';
export const isScalar = (value: unknown): value is Scalar =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
export const isSummand = (value: unknown): value is number =>
  typeof value === 'number' && Math.abs(value) <= LARGEST_SUMMAND;
const isNumber = (value: unknown): value is number => typeof value === 'number';
const bySize = (a: number, b: number): number => a - b;
const unique = <T>(values: readonly T[], compare: (a: T, b: T) => number): T[] => [...new Set(values)].sort(compare);
const listOf = <T>(values: readonly T[]): readonly T[] | undefined =>
  values.length === 0 ? undefined : values.slice(0, MOST_IN_A_LIST);

function mostFrequent<T>(values: readonly T[], compare: (a: T, b: T) => number): T | undefined {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || compare(a, b))[0]?.[0];
}
