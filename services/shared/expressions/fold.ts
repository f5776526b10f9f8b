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
  if (asked.aggregate === 'daysSince') return cell(from, 1, { extreme: timestamp });
  const value = valueAt(asked.value, payload, timestamp, zone);
  switch (asked.aggregate) {
    case 'sum':
    case 'average':
      return isSummand(value) ? cell(from, 1, { micros: microsOf(value).toString() }) : undefined;
    case 'min':
    case 'max':
      return typeof value === 'number' ? cell(from, 1, { extreme: value }) : undefined;
    case 'first':
    case 'last': {
      if (!isScalar(value)) return undefined;
      return cell(from, 1, { sighting: { timestamp, message_id, source, value: JSON.stringify(value) } });
    }
    case 'mostFrequent':
    case 'uniqueList':
    case 'uniqueCount': {
      const text = isPartOfTime(asked.value) ? textOf(value as number) : value;
      return isText(text) ? cell(from, 1, { texts: [{ text, count: 1 }] }) : undefined;
    }
  }
}

/** Both together: cells sorted by time, one of each. */
export function merge(asked: Pick<Aggregate, 'aggregate'>, a: readonly Cell[], b: readonly Cell[]): readonly Cell[] {
  return union(
    a,
    b,
    (one, other) => one.from - other.from,
    (one, other) => joined(asked, one, other),
  );
}

/** What the cells say at a moment, milliseconds. */
export function answerOf(asked: Aggregate, cells: readonly Cell[], now: number, zone = 'UTC'): Answer {
  const found = cellsWithin(asked, cells, now, zone);
  switch (asked.aggregate) {
    case 'count':
      return countOf(found);
    case 'uniqueCount':
      return Math.min(MOST_TEXTS, new Set(found.flatMap(({ texts }) => texts.map(({ text }) => text))).size);
    case 'sum':
    case 'average': {
      if (found.length === 0) return undefined;
      const micros = Number(found.reduce((sum, cell) => sum + bigMicros(cell), 0n));
      return asked.aggregate === 'sum' ? micros / MICROS : micros / countOf(found) / MICROS;
    }
  }
  const [head, ...tail] = found;
  if (!head) return undefined;
  const { extreme, sighting, texts } = tail.reduce((sum, cell) => joined(asked, sum, cell), head);
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
      const { text } = texts.reduce((best, one) => (one.count > best.count ? one : best));
      return isPartOfTime(asked.value) ? Number(text) : text;
    }
    case 'uniqueList': {
      const list = texts.slice(0, MOST_IN_A_LIST).map(({ text }) => text);
      return isPartOfTime(asked.value) ? list.map(Number) : list;
    }
  }
}

function cellsWithin({ within }: Aggregate, cells: readonly Cell[], now: number, zone: string): readonly Cell[] {
  if (!within || cells.length === 0) return cells;
  const [from, to] = timesOf(within, now, zone);
  return cells.filter((cell) => cell.from >= from && cell.from < to);
}

/** When an answer may next be another although nothing comes; undefined: never. @param now milliseconds */
export function changesAt(asked: Aggregate, cells: readonly Cell[], now: number, zone = 'UTC'): number | undefined {
  const times: number[] = [];
  if (asked.aggregate === 'daysSince' && cells.length > 0) times.push(startOfDay(zone, dayOf(zone, now) + 1));
  if (asked.within) {
    const [from, to] = timesOf(asked.within, now, zone);
    // Of what is within the window the earliest leaves first; what is after it comes in.
    const leaves = cells.find((cell) => cell.from >= from && cell.from < to);
    const comes = cells.find((cell) => cell.from >= to);
    if (leaves) times.push(leftBy(asked.within, leaves.from, zone));
    if (comes) times.push(comes.from);
  }
  return times.length === 0 ? undefined : Math.min(...times);
}

function joined({ aggregate }: Pick<Aggregate, 'aggregate'>, a: Cell, b: Cell): Cell {
  const { from } = a;
  const count = a.count + b.count;
  switch (aggregate) {
    case 'count':
      return cell(from, count);
    case 'sum':
    case 'average':
      return cell(from, count, { micros: (bigMicros(a) + bigMicros(b)).toString() });
    case 'min':
      return cell(from, count, { extreme: Math.min(a.extreme ?? 0, b.extreme ?? 0) });
    case 'max':
    case 'daysSince':
      return cell(from, count, { extreme: Math.max(a.extreme ?? 0, b.extreme ?? 0) });
    case 'first':
    case 'last': {
      const [one, other] = [a.sighting as TraitSighting, b.sighting as TraitSighting];
      return cell(from, count, { sighting: inOrder(one, other) < 0 === (aggregate === 'first') ? one : other });
    }
    case 'mostFrequent':
    case 'uniqueList':
    case 'uniqueCount':
      return cell(from, count, { texts: united(a.texts, b.texts) });
  }
}

const nothing = Object.freeze([]);
/** All have the same fields in the same order. */
const cell = (
  from: number,
  count: number,
  { micros = null, extreme = null, sighting = null, texts = nothing }: Partial<Cell> = {},
): Cell => ({ from, count, micros, extreme, sighting, texts });

/** An hour or weekday as it is kept: in the order of texts, too, the smaller comes first. */
const textOf = (part: number): string => String(part).padStart(2, '0');

const countOf = (cells: readonly Cell[]): number => cells.reduce((sum, { count }) => sum + count, 0);
const bigMicros = ({ micros }: Cell): bigint => BigInt(micros ?? 0);
const microsOf = (value: number): bigint => BigInt(Math.floor(value * MICROS + 0.5));

const inOrder = (a: TraitSighting, b: TraitSighting): number =>
  a.timestamp - b.timestamp || byBytes(a.message_id, b.message_id) || byBytes(a.source, b.source);

function united(a: Texts, b: Texts): Texts {
  const all = union(
    a,
    b,
    (one, other) => byBytes(one.text, other.text),
    (one, other) => ({ text: one.text, count: one.count + other.count }),
  );
  return all.length > MOST_TEXTS ? all.slice(0, MOST_TEXTS) : all;
}

/** Of two sorted lists of different ones each. */
function union<T>(
  a: readonly T[],
  b: readonly T[],
  compare: (one: T, other: T) => number,
  join: (one: T, other: T) => T,
): readonly T[] {
  if (b.length === 0) return a;
  if (a.length === 0) return b;
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
