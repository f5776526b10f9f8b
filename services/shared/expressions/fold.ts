import type { TraitCell, TraitSighting } from '#schemas/generated/records.ts';
import { type Answer, type AskedEvent, byBytes, isAmong, isScalar, isSummand, isText, valueAt } from './evaluate.ts';
import { type Aggregate, edgeBefore, isPartOfTime, leftBy, MICROS, MOST_IN_A_LIST, timesOf } from './expression.ts';
import { dayOf, startOfDay } from './zone.ts';

/*
 * The same answers from what is kept of events, added one by one. What is kept of one event, of some and of all is of one type, and `merge`
 * is associative and commutative: so neither order nor batches nor regrouping can show.
 */

/** Of the events of one hour or day, or of all time, what an aggregate needs of these. It is kept as it is stored, so that nothing need be converted. */
export type Cell = TraitCell;
type Texts = Cell['texts'];

/** So many different texts are kept of a cell. Beyond, counts and what is most frequent are of these alone. */
export const MOST_TEXTS = 1_000;

/**
 * What is kept of one event; undefined: it does not count.
 * @param payload the event's, read (`readJson`)
 * @param zone the same always: what is kept is kept by its days
 */
export function cellOf(asked: Aggregate, event: AskedEvent, payload: unknown, zone = 'UTC'): Cell | undefined {
  if (!isAmong(asked.of, event, payload, zone)) return undefined;
  const { timestamp, message_id, source } = event;
  const from = asked.within ? edgeBefore(asked.within, timestamp, zone) : 0;
  if (asked.aggregate === 'count') return cell(from, 1);
  if (asked.aggregate === 'daysSince') return cell(from, 1, null, timestamp);
  const value = valueAt(asked.value, payload, timestamp, zone);
  switch (asked.aggregate) {
    case 'sum':
    case 'average':
      return isSummand(value) ? cell(from, 1, String(microsOf(value))) : undefined;
    case 'min':
    case 'max':
      return typeof value === 'number' ? cell(from, 1, null, value) : undefined;
    case 'first':
    case 'last': {
      if (!isScalar(value)) return undefined;
      return cell(from, 1, null, null, { timestamp, message_id, source, value: JSON.stringify(value) });
    }
    case 'mostFrequent':
    case 'uniqueList':
    case 'uniqueCount': {
      const text = isPartOfTime(asked.value) ? textOf(value as number) : value;
      return isText(text) ? cell(from, 1, null, null, null, [{ text, count: 1 }]) : undefined;
    }
  }
}

/** Both together: cells sorted by time, one of each. */
export const merge = (asked: Pick<Aggregate, 'aggregate'>, a: readonly Cell[], b: readonly Cell[]): readonly Cell[] =>
  union(a, b, byTime, (one, other) => joined(asked, one, other));

const byTime = (a: Cell, b: Cell): number => a.from - b.from;

/** What the cells say at a moment, milliseconds. */
export function answerOf(asked: Aggregate, cells: readonly Cell[], now: number, zone = 'UTC'): Answer {
  const found = cellsWithin(asked, cells, now, zone);
  if (asked.aggregate === 'count') return countOf(found);
  if (asked.aggregate === 'uniqueCount') return uniqueCountOf(found);
  const [head] = found;
  if (!head) return undefined;
  if (asked.aggregate === 'sum') return sumOf(found) / MICROS;
  if (asked.aggregate === 'average') return sumOf(found) / countOf(found) / MICROS;
  let all = head;
  for (let n = 1; n < found.length; n++) all = joined(asked, all, found[n] as Cell);
  const { extreme, sighting, texts } = all;
  switch (asked.aggregate) {
    case 'daysSince':
      return Math.max(0, dayOf(zone, now) - dayOf(zone, extreme ?? 0));
    case 'min':
    case 'max':
      return extreme ?? 0;
    case 'first':
    case 'last':
      return sighting ? JSON.parse(sighting.value) : undefined;
    case 'mostFrequent': {
      const text = mostFrequentOf(texts);
      return isPartOfTime(asked.value) ? Number(text) : text;
    }
    case 'uniqueList': {
      if (texts.length === 0) return undefined;
      const list = texts.slice(0, MOST_IN_A_LIST).map(({ text }) => text);
      return isPartOfTime(asked.value) ? list.map(Number) : list;
    }
  }
}

function cellsWithin({ within }: Aggregate, cells: readonly Cell[], now: number, zone: string): readonly Cell[] {
  if (!within || cells.length === 0) return cells;
  const [from, to] = timesOf(within, now, zone);
  // Nearly always all of them.
  if ((cells[0] as Cell).from >= from && (cells.at(-1) as Cell).from < to) return cells;
  return cells.filter((cell) => cell.from >= from && cell.from < to);
}

/** When an answer may next be another although nothing comes; undefined: never. @param now milliseconds */
export function changesAt(asked: Aggregate, cells: readonly Cell[], now: number, zone = 'UTC'): number | undefined {
  let next = Number.POSITIVE_INFINITY;
  if (asked.aggregate === 'daysSince' && cells.length > 0) next = startOfDay(zone, dayOf(zone, now) + 1);
  if (asked.within) {
    const [from, to] = timesOf(asked.within, now, zone);
    // Of what is within the window the earliest leaves first; what is after it comes in.
    const leaves = cells.find((cell) => cell.from >= from && cell.from < to);
    const comes = (cells.at(-1)?.from ?? 0) < to ? undefined : cells.find((cell) => cell.from >= to);
    if (leaves) next = Math.min(next, leftBy(asked.within, leaves.from, zone));
    if (comes) next = Math.min(next, comes.from);
  }
  return next === Number.POSITIVE_INFINITY ? undefined : next;
}

function joined({ aggregate }: Pick<Aggregate, 'aggregate'>, a: Cell, b: Cell): Cell {
  const { from } = a;
  const count = a.count + b.count;
  switch (aggregate) {
    case 'count':
      return cell(from, count);
    case 'sum':
    case 'average':
      return cell(from, count, sumOfMicros(a.micros, b.micros));
    case 'min':
      return cell(from, count, null, Math.min(a.extreme ?? 0, b.extreme ?? 0));
    case 'max':
    case 'daysSince':
      return cell(from, count, null, Math.max(a.extreme ?? 0, b.extreme ?? 0));
    case 'first':
    case 'last': {
      const [one, other] = [a.sighting as TraitSighting, b.sighting as TraitSighting];
      return cell(from, count, null, null, inOrder(one, other) < 0 === (aggregate === 'first') ? one : other);
    }
    case 'mostFrequent':
    case 'uniqueList':
    case 'uniqueCount':
      return cell(from, count, null, null, null, united(a.texts, b.texts));
  }
}

const none = Object.freeze([]);
/** All have the same fields in the same order. */
const cell = (
  from: number,
  count: number,
  micros: string | null = null,
  extreme: number | null = null,
  sighting: TraitSighting | null = null,
  texts: Texts = none,
): Cell => ({ from, count, micros, extreme, sighting, texts });

/** An hour or weekday as it is kept: in the order of texts, too, the smaller comes first. */
const textOf = (part: number): string => String(part).padStart(2, '0');

function countOf(cells: readonly Cell[]): number {
  let sum = 0;
  for (const { count } of cells) sum += count;
  return sum;
}

/** In millionths, exact before it is a double. */
function sumOf(cells: readonly Cell[]): number {
  let sum = 0;
  for (const { micros } of cells) {
    const one = Number(micros);
    sum += one;
    if (!Number.isSafeInteger(one) || !Number.isSafeInteger(sum))
      return Number(cells.reduce((all, cell) => all + BigInt(cell.micros ?? 0), 0n));
  }
  return sum;
}

/** Numbers of fewer digits are exact as such, and quicker. */
const sumOfMicros = (a: string | null, b: string | null): string =>
  (a?.length ?? 0) < 16 && (b?.length ?? 0) < 16
    ? String(Number(a) + Number(b))
    : (BigInt(a ?? 0) + BigInt(b ?? 0)).toString();

const microsOf = (value: number): number => Math.floor(value * MICROS + 0.5);

function uniqueCountOf(cells: readonly Cell[]): number {
  const [head] = cells;
  if (cells.length === 1) return Math.min(MOST_TEXTS, (head as Cell).texts.length);
  const different = new Set<string>();
  for (const { texts } of cells) for (const { text } of texts) different.add(text);
  return Math.min(MOST_TEXTS, different.size);
}

function mostFrequentOf(texts: Texts): string | undefined {
  let best = texts[0];
  for (const one of texts) best = best && (one.count > best.count ? one : best);
  return best?.text;
}

const inOrder = (a: TraitSighting, b: TraitSighting): number =>
  a.timestamp - b.timestamp || byBytes(a.message_id, b.message_id) || byBytes(a.source, b.source);

const byText = (a: Texts[number], b: Texts[number]): number => byBytes(a.text, b.text);
const addedText = (a: Texts[number], b: Texts[number]): Texts[number] => ({ text: a.text, count: a.count + b.count });

function united(a: Texts, b: Texts): Texts {
  const all = union(a, b, byText, addedText);
  return all.length > MOST_TEXTS ? all.slice(0, MOST_TEXTS) : all;
}

/** Of two sorted lists of different ones each. */
export function union<T>(
  a: readonly T[],
  b: readonly T[],
  compare: (one: T, other: T) => number,
  join: (one: T, other: T) => T,
): readonly T[] {
  if (b.length === 0) return a;
  if (a.length === 0) return b;
  if (b.length * 4 <= a.length) return b.reduce((all, one) => withOne(all, one, compare, join), a);
  const all: T[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const [one, other] = [a[i] as T, b[j] as T];
    const order = compare(one, other);
    all.push(order === 0 ? join(one, other) : order < 0 ? one : other);
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  while (i < a.length) all.push(a[i++] as T);
  while (j < b.length) all.push(b[j++] as T);
  return all;
}

/** What comes of an event, and more often than not stands last. */
function withOne<T>(
  a: readonly T[],
  other: T,
  compare: (one: T, other: T) => number,
  join: (one: T, other: T) => T,
): readonly T[] {
  let [low, high] = [0, a.length];
  let at = high - 1;
  while (low < high) {
    const one = a[at] as T;
    const order = compare(one, other);
    if (order === 0) return a.with(at, join(one, other));
    if (order < 0) low = at + 1;
    else high = at;
    at = (low + high) >> 1;
  }
  return a.toSpliced(low, 0, other);
}
