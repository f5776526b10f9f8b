import { type Answer, type AskedEvent, byBytes, isAmong, isScalar, isSummand, isText, valueAt } from './evaluate.ts';
import { type Aggregate, edgeBefore, leftBy, MICROS, MOST_IN_A_LIST, type Scalar, timesOf } from './expression.ts';
import { dayOf, startOfDay } from './zone.ts';

/*
 * The same answers from what is kept of events, added one by one. What is kept of one event, of some and of all is of one type, and `merge`
 * is associative and commutative: so neither order nor batches nor regrouping can show.
 */

/** Where a value was seen. */
export interface Sighting {
  readonly timestamp: number;
  readonly message_id: string;
  readonly source: string;
  readonly value: Scalar;
}

/** Of the events of one hour or day, or of all time, what an aggregate needs of these. */
export interface Cell {
  /** Its first moment, milliseconds; 0 where there is no window. */
  readonly from: number;
  /** How many events, or values. */
  readonly count: number;
  /** Sum of millionths. */
  readonly micros?: bigint;
  /** The least or the greatest number, or the latest time. */
  readonly extreme?: number;
  readonly sighting?: Sighting;
  /** Sorted by their bytes; of more than may be kept the smaller. */
  readonly texts?: readonly (readonly [text: string, count: number])[];
}

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
  if (asked.aggregate === 'count') return { from, count: 1 };
  if (asked.aggregate === 'daysSince') return { from, count: 1, extreme: timestamp };
  const value = valueAt(payload, asked.value);
  switch (asked.aggregate) {
    case 'sum':
    case 'average':
      return isSummand(value) ? { from, count: 1, micros: microsOf(value) } : undefined;
    case 'min':
    case 'max':
      return typeof value === 'number' ? { from, count: 1, extreme: value } : undefined;
    case 'first':
    case 'last':
      return isScalar(value) ? { from, count: 1, sighting: { timestamp, message_id, source, value } } : undefined;
    case 'mostFrequent':
    case 'uniqueList':
    case 'uniqueCount':
      return isText(value) ? { from, count: 1, texts: [[value, 1]] } : undefined;
  }
}

/** Both together: cells sorted by time, one of each. */
export function merge(asked: Aggregate, a: readonly Cell[], b: readonly Cell[]): readonly Cell[] {
  if (b.length === 0) return a;
  if (a.length === 0) return b;
  const byTime = new Map(a.map((cell) => [cell.from, cell]));
  for (const cell of b) {
    const other = byTime.get(cell.from);
    byTime.set(cell.from, other ? joined(asked, other, cell) : cell);
  }
  return [...byTime.values()].sort((one, other) => one.from - other.from);
}

/** What the cells say at a moment, milliseconds. */
export function answerOf(asked: Aggregate, cells: readonly Cell[], now: number, zone = 'UTC'): Answer {
  const [from, to] = asked.within ? timesOf(asked.within, now, zone) : [0, 1];
  const found = cells.filter((cell) => cell.from >= from && cell.from < to);
  const [head, ...tail] = found;
  const whole = head && tail.reduce((sum, cell) => joined(asked, sum, cell), head);
  if (asked.aggregate === 'count') return whole?.count ?? 0;
  if (asked.aggregate === 'uniqueCount') return whole?.texts?.length ?? 0;
  if (!whole) return undefined;
  const { count, micros = 0n, extreme = 0, sighting, texts = [] } = whole;
  switch (asked.aggregate) {
    case 'daysSince':
      return Math.max(0, dayOf(zone, now) - dayOf(zone, extreme));
    case 'sum':
      return Number(micros) / MICROS;
    case 'average':
      return Number(micros) / count / MICROS;
    case 'min':
    case 'max':
      return extreme;
    case 'first':
    case 'last':
      return sighting?.value;
    case 'mostFrequent':
      return texts.reduce((best, one) => (one[1] > best[1] ? one : best))[0];
    case 'uniqueList':
      return texts.slice(0, MOST_IN_A_LIST).map(([text]) => text);
  }
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

function joined(asked: Aggregate, a: Cell, b: Cell): Cell {
  const { from } = a;
  const count = a.count + b.count;
  switch (asked.aggregate) {
    case 'count':
      return { from, count };
    case 'sum':
    case 'average':
      return { from, count, micros: (a.micros ?? 0n) + (b.micros ?? 0n) };
    case 'min':
      return { from, count, extreme: Math.min(a.extreme ?? 0, b.extreme ?? 0) };
    case 'max':
    case 'daysSince':
      return { from, count, extreme: Math.max(a.extreme ?? 0, b.extreme ?? 0) };
    case 'first':
    case 'last': {
      const [one, other] = [a.sighting as Sighting, b.sighting as Sighting];
      return { from, count, sighting: inOrder(one, other) < 0 === (asked.aggregate === 'first') ? one : other };
    }
    case 'mostFrequent':
    case 'uniqueList':
    case 'uniqueCount':
      return { from, count, texts: united(a.texts ?? [], b.texts ?? []) };
  }
}

const microsOf = (value: number): bigint => BigInt(Math.floor(value * MICROS + 0.5));

const inOrder = (a: Sighting, b: Sighting): number =>
  a.timestamp - b.timestamp || byBytes(a.message_id, b.message_id) || byBytes(a.source, b.source);

function united(a: NonNullable<Cell['texts']>, b: NonNullable<Cell['texts']>): NonNullable<Cell['texts']> {
  const counts = new Map(a);
  for (const [text, count] of b) counts.set(text, (counts.get(text) ?? 0) + count);
  return [...counts].sort(([one], [other]) => byBytes(one, other)).slice(0, MOST_TEXTS);
}
