import { type Answer, compares } from './evaluate.ts';
import {
  type Aggregate,
  type Comparing,
  type Condition,
  DAY_MS,
  type Events,
  HOUR_MS,
  isPartOfTime,
  LARGEST_SUMMAND,
  MICROS,
  MOST_IN_A_LIST,
  type PartOfTime,
  type Scalar,
  type Test,
  timesOf,
  type Window,
} from './expression.ts';
import { MOMENT, momentOf } from './moment.ts';
import { dayOf, stretchesOf } from './zone.ts';

/** An aggregate as SQL over rows with the columns of the event log. */
export interface AggregateSql {
  /** The rows, with what the others refer to. @param table a table or view, or a query in brackets */
  readonly from: (table: string) => string;
  /** Which rows. */
  readonly where: string;
  /** A tuple of how many values there are, and of the answer as a text, a number, a list and the kind of these that it is. */
  readonly value: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** @param now milliseconds */
export function toSql(asked: Aggregate, now: number, zone = 'UTC'): AggregateSql {
  const writing = new Writing(new Bound(), 'timestamp', zone);
  const where = writing.rows(asked, now);
  const value = writing.aggregate(asked, now);
  return { from: writing.from, where, value, params: writing.bound.params };
}

/** A condition as SQL over rows with the columns of `profiles_latest`. */
export interface ConditionSql {
  readonly from: (table: string) => string;
  readonly where: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/**
 * @param events table or view of events, with the `profile_id` of now
 * @param now milliseconds
 */
export function conditionToSql(asked: Condition, events: string, now: number, zone = 'UTC'): ConditionSql {
  const writing = new Writing(new Bound(), now, zone);
  const where = writing.condition(asked, events, now);
  return { from: writing.from, where, params: writing.bound.params };
}

const KINDS = { text: 1, number: 2, boolean: 3, list: 4 } as const;
const answer = (
  count: string,
  kind: number | string,
  text: string,
  number: string,
  list = 'emptyArrayString()',
): string => `tuple(toUInt64(${count}), toUInt8(${kind}), toString(${text}), toFloat64(${number}), ${list})`;

/** A value in SQL: what it is, and it as that. */
interface Said {
  readonly isText: string;
  readonly text: string;
  readonly isNumber: string;
  readonly number: string;
  readonly isTruth: string;
  readonly truth: string;
  readonly exists: string;
  /** Elements of a list, as values. */
  includes(value: Scalar): string;
}

/**
 * Numbers that are written longer than 64 bits are the same numbers with an exponent, and are read so; ClickHouse writes such numbers
 * itself where it takes a JSON text apart. Texts are left alone.
 */
const withDoubles = (json: string): string =>
  `arrayStringConcat(arrayMap(part -> if(startsWith(part, '"'), part, replaceRegexpAll(part, '([0-9]{19,})([,\\\\]}\\\\s]|$)', '\\\\1e0\\\\2')), extractAll(${json}, '"(?:[^"\\\\\\\\]|\\\\\\\\.)*"|[^"]+')))`;

/** Values that are bound, each once, so that what is the same reads the same. */
class Bound {
  readonly params: Record<string, unknown> = {};
  readonly #names = new Map<string, string>();

  bind(type: string, value: unknown): string {
    const key = `${type} ${JSON.stringify(value)}`;
    const known = this.#names.get(key);
    const name = known ?? `p${this.#names.size}`;
    if (!known) this.#names.set(key, name);
    this.params[name] = value;
    return `{${name}: ${type}}`;
  }
}

/** Puts text together, and values where no text can reach. */
class Writing {
  readonly bound: Bound;
  /** When times are new or old: a column, or milliseconds. */
  readonly #at: string | number;
  readonly #zone: string;
  /** Expressions that are columns of a query, level by level, since an alias would be written out wherever it stands. */
  readonly #named: Map<string, string>[] = [];

  constructor(bound: Bound, at: string | number, zone: string) {
    this.bound = bound;
    this.#at = at;
    this.#zone = zone;
  }

  from = (table: string): string =>
    this.#named.reduce(
      (rows, level) => `(SELECT *, ${[...level].map(([sql, name]) => `${sql} AS ${name}`).join(', ')} FROM ${rows})`,
      table,
    );

  rows(asked: Aggregate, now: number): string {
    const where = [this.isAmong(asked.of)];
    if (asked.within) {
      const [from, to] = timesOf(asked.within, now, this.#zone);
      where.push(`timestamp >= ${this.time(from)}`, `timestamp < ${this.time(to)}`);
    }
    return where.join(' AND ');
  }

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
    return this.compares(this.at(asked.path), asked);
  }

  condition(asked: Condition, events: string, now: number): string {
    const inside = (one: Condition): string => this.condition(one, events, now);
    if ('all' in asked) return `(${asked.all.map(inside).join(' AND ')})`;
    if ('any' in asked) return `(${asked.any.map(inside).join(' OR ')})`;
    if ('not' in asked) return `NOT ${inside(asked.not)}`;
    if ('trait' in asked) return this.compares(this.among('traits', asked.trait), asked);
    if ('computed' in asked) return this.compares(this.among('computed', asked.computed), asked);
    // Whoever has no events is in no group of them: where that holds, those are looked for of whom it does not hold.
    const none = asked.aggregate === 'count' || asked.aggregate === 'uniqueCount' ? 0 : undefined;
    const holdsOfNone = compares(none, asked, now, this.#zone);
    const inner = new Writing(this.bound, 'timestamp', this.#zone);
    const where = inner.rows(asked, now);
    const value = inner.aggregate(asked, now);
    const outer = new Writing(this.bound, now, this.#zone);
    const compared = outer.compares(
      answered('answered', outer, asked.aggregate === 'uniqueList' && ofTime(asked) ? 'number' : 'string'),
      asked,
    );
    const groups = `SELECT profile_id, ${value} AS answered FROM ${inner.from(events)} WHERE ${where} GROUP BY profile_id`;
    const found = `SELECT profile_id FROM ${outer.from(`(${groups})`)} WHERE ${holdsOfNone ? 'NOT ' : ''}${compared}`;
    return `profile_id ${holdsOfNone ? 'NOT IN' : 'IN'} (${found})`;
  }

  compares(said: Said, asked: Comparing): string {
    const { is, oneOf, contains, startsWith, endsWith, includes, exists, ...bounds } = asked;
    const parts: string[] = [];
    if (is !== undefined) parts.push(this.equals(said, [is]));
    if (oneOf !== undefined) parts.push(this.equals(said, oneOf));
    const signs = { above: '>', atLeast: '>=', below: '<', atMost: '<=' } as const;
    for (const [name, sign] of Object.entries(signs)) {
      const bound = bounds[name as keyof typeof signs];
      if (bound !== undefined) parts.push(`(${said.isNumber} AND ${said.number} ${sign} ${this.number(bound)})`);
    }
    const { isText, text } = said;
    if (contains !== undefined) parts.push(`(${isText} AND position(${text}, ${this.text(contains)}) > 0)`);
    if (startsWith !== undefined) parts.push(`(${isText} AND startsWith(${text}, ${this.text(startsWith)}))`);
    if (endsWith !== undefined) parts.push(`(${isText} AND endsWith(${text}, ${this.text(endsWith)}))`);
    if (includes !== undefined) parts.push(said.includes(includes));
    if (exists !== undefined) parts.push(`${exists ? '' : 'NOT '}(${said.exists})`);
    return `(${[...parts, ...this.#inTime(said, bounds)].join(' AND ')})`;
  }

  #inTime(said: Said, { after, before, newerThan, olderThan }: Comparing): string[] {
    if (after === undefined && before === undefined && !newerThan && !olderThan) return [];
    const moment = this.#moment(said);
    const parts = [`isNotNull(${moment})`];
    if (after !== undefined) parts.push(`ifNull(${moment} >= ${this.moment(after)}, 0)`);
    if (before !== undefined) parts.push(`ifNull(${moment} < ${this.moment(before)}, 0)`);
    if (newerThan) parts.push(`ifNull(${moment} >= ${this.#beginning(newerThan)}, 0)`);
    if (olderThan) parts.push(`ifNull(${moment} < ${this.#beginning(olderThan)}, 0)`);
    return parts;
  }

  /** Milliseconds of a text that is a time, or NULL. */
  #moment(said: Said): string {
    const found = this.#name(`extractGroups(if(${said.isText}, ${said.text}, ''), ${this.text(MOMENT)})`);
    const part = (n: number): string => `toInt64OrZero(${found}[${n}])`;
    const [year, month, day] = [1, 2, 3].map((n) => this.#name(part(n))) as [string, string, string];
    // Days from a civil date, in years that begin in March and eras of 400 of them.
    const march = this.#name(`(${year} - if(${month} <= 2, 1, 0))`);
    const era = this.#name(`intDiv(${march}, 400)`);
    const ofEra = this.#name(`(${march} - ${era} * 400)`);
    const ofYear = `(intDiv(153 * (${month} + if(${month} > 2, -3, 9)) + 2, 5) + ${day} - 1)`;
    const days = `(${era} * 146097 + ${ofEra} * 365 + intDiv(${ofEra}, 4) - intDiv(${ofEra}, 100) + ${ofYear} - 719468)`;
    const leap = `if((${year} % 4 = 0 AND ${year} % 100 != 0) OR ${year} % 400 = 0, 29, 28)`;
    const isDay = `(length(${found}) > 0 AND ${day} <= multiIf(${month} = 2, ${leap}, ${month} IN (4, 6, 9, 11), 30, 31))`;
    const fraction = `toInt64OrZero(rightPad(substring(${found}[7], 1, 3), 3, '0'))`;
    const local = this.#name(
      `(${days} * ${DAY_MS} + ${part(4)} * ${HOUR_MS} + ${part(5)} * 60000 + ${part(6)} * 1000 + ${fraction})`,
    );
    const offset = `${found}[8]`;
    const ahead = `((toInt64OrZero(substring(${offset}, 2, 2)) * 60 + toInt64OrZero(right(${offset}, 2))) * if(startsWith(${offset}, '-'), -60000, 60000))`;
    return this.#name(
      `multiIf(NOT ${isDay}, NULL, ${offset} = '', toNullable(${this.#momentOfLocal(local)}), ${offset} = 'Z', ${local}, ${local} - ${ahead})`,
    );
  }

  /** When so many last days or hours have begun, milliseconds. */
  #beginning(window: Window): string {
    if (typeof this.#at === 'number') return this.#int(timesOf(window, this.#at, this.#zone)[0]);
    const at = `toUnixTimestamp64Milli(${this.#at})`;
    if ('hours' in window) return `(toInt64(floor(${at} / ${HOUR_MS})) - ${this.#int(window.hours - 1)}) * ${HOUR_MS}`;
    return this.#momentOfLocal(`((${this.#day(at)} - ${this.#int(window.days - 1)}) * ${DAY_MS})`);
  }

  /** Number of the day of a moment in milliseconds. */
  #day(at: string): string {
    return `greatest(toInt64(floor(${this.#local(at)} / ${DAY_MS})), ${this.#table('day')}[${this.#stretch(at)}])`;
  }

  /** As clocks show it, in milliseconds. */
  #local = (at: string): string => `(${at} + ${this.#table('offset')}[${this.#stretch(at)}])`;

  #stretch(at: string): string {
    return this.#name(`arrayLastIndex(one -> one <= ${at}, ${this.#table('from')})`);
  }

  /** Of the time of a row. */
  #partOfTime(part: PartOfTime): string {
    const at = 'toUnixTimestamp64Milli(timestamp)';
    if (part === 'time.weekday') return this.#name(`(positiveModulo(${this.#name(this.#day(at))} + 3, 7) + 1)`);
    return this.#name(`intDiv(positiveModulo(${this.#local(at)}, ${DAY_MS}), ${HOUR_MS})`);
  }

  #momentOfLocal(local: string): string {
    const stretch = this.#name(`arrayLastIndex(one -> one <= ${local}, ${this.#table('localFrom')})`);
    return `least(${local} - ${this.#table('offset')}[${stretch}], ${this.#table('to')}[${stretch}])`;
  }

  /** What the clocks of the zone do: numbers of ours, not of anybody who asks, and too many for parameters. */
  #table(column: 'from' | 'to' | 'offset' | 'localFrom' | 'day'): string {
    return `CAST('[${stretchesOf(this.#zone)
      .map((stretch) => stretch[column])
      .join(',')}]' AS Array(Int64))`;
  }

  aggregate(asked: Aggregate, now: number): string {
    if (asked.aggregate === 'count') return answer('1', KINDS.number, "''", 'count()');
    if (asked.aggregate === 'daysSince') {
      const day = this.#int(dayOf(this.#zone, now));
      const last = `max(${this.#name(this.#day('toUnixTimestamp64Milli(timestamp)'))})`;
      return answer('count()', KINDS.number, "''", `greatest(0, ${day} - ${last})`);
    }
    const { isText, text, isNumber, number, isTruth, truth } = this.at(asked.value);
    const [one, isOne] = ofTime(asked) ? [number, isNumber] : [text, isText];
    const order = '(timestamp, message_id, source)';
    switch (asked.aggregate) {
      case 'sum':
      case 'average': {
        const counts = `(${isNumber} AND abs(${number}) <= ${LARGEST_SUMMAND})`;
        const sum = `toFloat64(sumIf(toInt128(toInt64(if(${counts}, floor(${number} * ${MICROS} + 0.5), 0))), ${counts}))`;
        const each = asked.aggregate === 'sum' ? '' : ` / countIf(${counts})`;
        return answer(`countIf(${counts})`, KINDS.number, "''", `${sum}${each} / ${MICROS}`);
      }
      case 'min':
      case 'max':
        return answer(`countIf(${isNumber})`, KINDS.number, "''", `${asked.aggregate}If(${number}, ${isNumber})`);
      case 'first':
      case 'last': {
        const kind = `multiIf(${isText}, 1, ${isNumber}, 2, ${isTruth}, 3, 0)`;
        const either = `if(${isTruth}, toFloat64(${truth}), ${number})`;
        const found = `${asked.aggregate === 'first' ? 'argMinIf' : 'argMaxIf'}((${kind}, ${text}, ${either}), ${order}, ${kind} > 0)`;
        return answer(`countIf(${kind} > 0)`, `${found}.1`, `${found}.2`, `${found}.3`);
      }
      case 'mostFrequent': {
        const counted = `sumMapIf([${one}], [toUInt64(1)], ${isOne})`;
        const sorted = `arraySort(one -> (-toInt64(one.2), one.1), arrayZip(${counted}.1, ${counted}.2))`;
        return ofTime(asked)
          ? answer(`countIf(${isOne})`, KINDS.number, "''", `${sorted}[1].1`)
          : answer(`countIf(${isOne})`, KINDS.text, `${sorted}[1].1`, '0');
      }
      case 'uniqueList': {
        const list = `arraySlice(arraySort(groupUniqArrayIf(${one}, ${isOne})), 1, ${MOST_IN_A_LIST})`;
        return answer(`countIf(${isOne})`, KINDS.list, "''", '0', list);
      }
      case 'uniqueCount':
        return answer('1', KINDS.number, "''", `uniqExactIf(${one}, ${isOne})`);
    }
  }

  equals(said: Said, values: readonly Scalar[]): string {
    const texts = values.filter((value) => typeof value === 'string');
    const numbers = values.filter((value) => typeof value === 'number');
    const truths = values.filter((value) => typeof value === 'boolean');
    const parts: string[] = [];
    if (texts.length > 0) parts.push(`(${said.isText} AND has(${this.list(texts)}, ${said.text}))`);
    if (numbers.length > 0)
      parts.push(`(${said.isNumber} AND has(${this.#param('Array(Float64)', numbers)}, ${said.number}))`);
    for (const truth of truths) parts.push(`(${said.isTruth} AND ${said.truth} = ${truth})`);
    return `(${parts.join(' OR ')})`;
  }

  /** What a path leads to in an event. */
  at(path: string): Said {
    if (isPartOfTime(path)) return aNumber(this.#partOfTime(path));
    const params = path.split('.').map((name) => this.text(name));
    const said = this.#name(readable('payload'));
    return this.json(this.#name(readable(`JSONExtractRaw(${said}, ${params.join(', ')})`)));
  }

  /** A trait or computed trait of a profile. */
  among(column: 'traits' | 'computed', name: string): Said {
    return this.json(this.#name(readable(`${column}.value[indexOf(${column}.name, ${this.text(name)})]`)));
  }

  /** @param json name of a JSON text, empty where there is none */
  json(json: string): Said {
    return {
      isText: `JSONType(${json}) = 'String'`,
      text: `JSONExtractString(${json})`,
      isNumber: `JSONType(${json}) IN ('Int64', 'UInt64', 'Double')`,
      number: `JSONExtractFloat(${json})`,
      isTruth: `JSONType(${json}) = 'Bool'`,
      truth: `JSONExtractBool(${json})`,
      exists: `JSONHas(${json}) AND JSONType(${json}) != 'Null'`,
      includes: (value) =>
        `arrayExists(one -> ${this.equals(this.json('one'), [value])}, arrayMap(json -> ${readableItself}, JSONExtractArrayRaw(${json})))`,
    };
  }

  list = (names: string | readonly string[]): string => this.#param('Array(String)', [names].flat());
  text = (value: string): string => this.#param('String', value);
  number = (value: number): string => this.#param('Float64', value);
  moment = (text: string): string => this.#int(momentOf(text, this.#zone) ?? 0);
  time = (at: number): string => `fromUnixTimestamp64Milli(${this.#int(at)}, 'UTC')`;
  #int = (value: number): string => this.#param('Int64', value);

  #param = (type: string, value: unknown): string => this.bound.bind(type, value);

  /** @returns the name of a column that is this; one of the level after all those that it refers to */
  #name(sql: string): string {
    const levels = [...sql.matchAll(/said_([0-9]+)_[0-9]+/g)].map(([, level]) => Number(level) + 1);
    const level = Math.max(0, ...levels);
    const names = this.#named[level] ?? new Map<string, string>();
    this.#named[level] = names;
    const name = names.get(sql) ?? `said_${level}_${names.size}`;
    names.set(sql, name);
    return name;
  }
}

const readableItself = `if(isValidJSON(json), json, ${withDoubles('json')})`;
const readable = (json: string): string => `arrayMap(json -> ${readableItself}, [${json}])[1]`;

const ofTime = (asked: Aggregate): boolean => 'value' in asked && isPartOfTime(asked.value);

/** A number that is always there. */
const aNumber = (number: string): Said => ({
  isText: '0',
  text: "''",
  isNumber: '1',
  number: `toFloat64(${number})`,
  isTruth: '0',
  truth: '0',
  exists: '1',
  includes: () => '0',
});

/** What an aggregate has answered. @param tuple of it @param lists what its lists are of */
const answered = (tuple: string, bound: Writing, lists: 'string' | 'number'): Said => ({
  isText: `(${tuple}.1 > 0 AND ${tuple}.2 = ${KINDS.text})`,
  text: `${tuple}.3`,
  isNumber: `(${tuple}.1 > 0 AND ${tuple}.2 = ${KINDS.number})`,
  number: `${tuple}.4`,
  isTruth: `(${tuple}.1 > 0 AND ${tuple}.2 = ${KINDS.boolean})`,
  truth: `(${tuple}.4 = 1)`,
  exists: `${tuple}.1 > 0`,
  includes: (value) => {
    if (typeof value !== lists) return '0';
    const one = typeof value === 'string' ? bound.text(value) : bound.number(Number(value));
    return `(${tuple}.2 = ${KINDS.list} AND has(${tuple}.5, ${one}))`;
  },
});

/** What SQL has answered. */
export type Answered = readonly [
  count: string | number,
  kind: number,
  text: string,
  number: number,
  list: readonly string[] | readonly number[],
];

/** The answer that a row of it stands for; undefined: there is none. */
export function answerOf([count, kind, text, number, list]: Answered): Answer {
  if (Number(count) === 0) return undefined;
  if (kind === KINDS.text) return text;
  if (kind === KINDS.number) return number;
  return kind === KINDS.boolean ? number === 1 : list;
}
