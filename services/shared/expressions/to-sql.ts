import {
  type Aggregate,
  type Comparison,
  DAY_MS,
  type Events,
  LARGEST_SUMMAND,
  MICROS,
  MOST_IN_A_LIST,
  type Scalar,
  type Test,
  timesOf,
} from './expression.ts';

/** An aggregate as SQL over rows with the columns of the event log. */
export interface AggregateSql {
  /** Which rows. */
  readonly where: string;
  /** A tuple of how many values there are, and of the answer as a text, a number, a list and the kind of these that it is. */
  readonly value: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** @param now milliseconds */
export function toSql(asked: Aggregate, now: number): AggregateSql {
  const sql = new Writing();
  const where = [sql.isAmong(asked.of)];
  if (asked.within) {
    const [from, to] = timesOf(asked.within, now);
    where.push(`timestamp >= ${sql.time(from)}`, `timestamp < ${sql.time(to)}`);
  }
  return { where: where.join(' AND '), value: sql.aggregate(asked, now), params: sql.params };
}

const KINDS = { text: 1, number: 2, boolean: 3, list: 4 } as const;
const answer = (
  count: string,
  kind: number | string,
  text: string,
  number: string,
  list = 'emptyArrayString()',
): string => `tuple(toUInt64(${count}), toUInt8(${kind}), toString(${text}), toFloat64(${number}), ${list})`;

/** Puts text together, and values where no text can reach. */
class Writing {
  readonly params: Record<string, unknown> = {};

  isAmong({ event, source, type, where }: Events): string {
    const parts = ['1'];
    if (event !== undefined) parts.push(`ifNull(event IN ${this.list(event)}, 0)`);
    if (source !== undefined) parts.push(`source IN ${this.list(source)}`);
    if (type !== undefined) parts.push(`type = ${this.text(type)}`);
    if (where !== undefined) parts.push(this.holds(where));
    return `(${parts.join(' AND ')})`;
  }

  holds(asked: Test): string {
    if ('all' in asked) return `(${asked.all.map((one) => this.holds(one)).join(' AND ')})`;
    if ('any' in asked) return `(${asked.any.map((one) => this.holds(one)).join(' OR ')})`;
    if ('not' in asked) return `NOT ${this.holds(asked.not)}`;
    return this.compares(asked);
  }

  compares({ path, is, oneOf, contains, startsWith, endsWith, includes, exists, ...bounds }: Comparison): string {
    const at = this.place(path);
    const parts: string[] = [];
    if (is !== undefined) parts.push(this.equals(at, is));
    if (oneOf !== undefined) parts.push(`(${oneOf.map((one) => this.equals(at, one)).join(' OR ')})`);
    const signs = { above: '>', atLeast: '>=', below: '<', atMost: '<=' } as const;
    for (const [name, sign] of Object.entries(signs)) {
      const bound = bounds[name as keyof typeof signs];
      if (bound !== undefined)
        parts.push(`(${isNumber(at)} AND JSONExtractFloat(${at}) ${sign} ${this.number(bound)})`);
    }
    const text = `${isText(at)} AND`;
    if (contains !== undefined) parts.push(`(${text} position(JSONExtractString(${at}), ${this.text(contains)}) > 0)`);
    if (startsWith !== undefined)
      parts.push(`(${text} startsWith(JSONExtractString(${at}), ${this.text(startsWith)}))`);
    if (endsWith !== undefined) parts.push(`(${text} endsWith(JSONExtractString(${at}), ${this.text(endsWith)}))`);
    if (includes !== undefined)
      parts.push(`arrayExists(one -> ${this.equals('one', includes)}, JSONExtractArrayRaw(${at}))`);
    if (exists !== undefined) parts.push(`${exists ? '' : 'NOT '}(JSONHas(${at}) AND JSONType(${at}) != 'Null')`);
    return `(${parts.join(' AND ')})`;
  }

  aggregate(asked: Aggregate, now: number): string {
    if (asked.aggregate === 'count') return answer('1', KINDS.number, "''", 'count()');
    if (asked.aggregate === 'daysSince') {
      const day = Math.floor(now / DAY_MS);
      const last = `intDiv(toUnixTimestamp64Milli(max(timestamp)), ${DAY_MS})`;
      return answer('count()', KINDS.number, "''", `greatest(0, ${day} - ${last})`);
    }
    const at = this.place(asked.value);
    const order = '(timestamp, message_id, source)';
    switch (asked.aggregate) {
      case 'sum':
      case 'average': {
        const number = `JSONExtractFloat(${at})`;
        const counts = `(${isNumber(at)} AND abs(${number}) <= ${LARGEST_SUMMAND})`;
        const sum = `toFloat64(sumIf(toInt128(toInt64(if(${counts}, floor(${number} * ${MICROS} + 0.5), 0))), ${counts}))`;
        const each = asked.aggregate === 'sum' ? '' : ` / countIf(${counts})`;
        return answer(`countIf(${counts})`, KINDS.number, "''", `${sum}${each} / ${MICROS}`);
      }
      case 'min':
      case 'max':
        return answer(
          `countIf(${isNumber(at)})`,
          KINDS.number,
          "''",
          `${asked.aggregate}If(JSONExtractFloat(${at}), ${isNumber(at)})`,
        );
      case 'first':
      case 'last': {
        const kind = `multiIf(${isText(at)}, 1, ${isNumber(at)}, 2, ${isTruth(at)}, 3, 0)`;
        const number = `if(${isTruth(at)}, toFloat64(JSONExtractBool(${at})), JSONExtractFloat(${at}))`;
        const found = `${asked.aggregate === 'first' ? 'argMinIf' : 'argMaxIf'}((${kind}, JSONExtractString(${at}), ${number}), ${order}, ${kind} > 0)`;
        return answer(`countIf(${kind} > 0)`, `${found}.1`, `${found}.2`, `${found}.3`);
      }
      case 'mostFrequent': {
        const counted = `sumMapIf([JSONExtractString(${at})], [toUInt64(1)], ${isText(at)})`;
        const sorted = `arraySort(one -> (-toInt64(one.2), one.1), arrayZip(${counted}.1, ${counted}.2))`;
        return answer(`countIf(${isText(at)})`, KINDS.text, `${sorted}[1].1`, '0');
      }
      case 'uniqueList': {
        const list = `arraySlice(arraySort(groupUniqArrayIf(JSONExtractString(${at}), ${isText(at)})), 1, ${MOST_IN_A_LIST})`;
        return answer(`countIf(${isText(at)})`, KINDS.list, "''", '0', list);
      }
      case 'uniqueCount':
        return answer('1', KINDS.number, "''", `uniqExactIf(JSONExtractString(${at}), ${isText(at)})`);
    }
  }

  equals(at: string, value: Scalar): string {
    if (typeof value === 'string') return `(${isText(at)} AND JSONExtractString(${at}) = ${this.text(value)})`;
    if (typeof value === 'number') return `(${isNumber(at)} AND JSONExtractFloat(${at}) = ${this.number(value)})`;
    return `(${isTruth(at)} AND JSONExtractBool(${at}) = ${value})`;
  }

  /** Arguments of the functions for JSON. */
  place(path: string): string {
    return `payload, ${path
      .split('.')
      .map((name) => this.text(name))
      .join(', ')}`;
  }

  list = (names: string | readonly string[]): string => this.#param('Array(String)', [names].flat());
  text = (value: string): string => this.#param('String', value);
  number = (value: number): string => this.#param('Float64', value);
  time = (at: number): string => `fromUnixTimestamp64Milli(${this.#param('Int64', at)}, 'UTC')`;

  #param(type: string, value: unknown): string {
    const name = `p${Object.keys(this.params).length}`;
    this.params[name] = value;
    return `{${name}: ${type}}`;
  }
}

const isNumber = (at: string): string => `JSONType(${at}) IN ('Int64', 'UInt64', 'Double')`;
const isText = (at: string): string => `JSONType(${at}) = 'String'`;
const isTruth = (at: string): string => `JSONType(${at}) = 'Bool'`;

/** What SQL has answered. */
export type Answered = readonly [
  count: string | number,
  kind: number,
  text: string,
  number: number,
  list: readonly string[],
];

/** The answer that a row of it stands for; undefined: there is none. */
export function answerOf([count, kind, text, number, list]: Answered): Scalar | readonly string[] | undefined {
  if (Number(count) === 0) return undefined;
  if (kind === KINDS.text) return text;
  if (kind === KINDS.number) return number;
  return kind === KINDS.boolean ? number === 1 : list;
}
