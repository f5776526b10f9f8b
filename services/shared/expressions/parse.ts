import { z } from 'zod';
import { compares } from './evaluate.ts';
import {
  type Aggregate,
  aggregate,
  aggregates,
  type Comparing,
  comparisons,
  condition,
  type Expression,
  events,
  isAggregate,
  isPartOfTime,
  leaf,
  ofComputed,
  ofTrait,
  valuesOf,
} from './expression.ts';
import { momentOf } from './moment.ts';

export interface Fault {
  /** From the expression on. */
  readonly path: readonly PropertyKey[];
  readonly wrong: string;
}

/** So deep may `all`, `any` and `not` stand in one another. */
export const MOST_DEPTH = 8;
/** So many objects, lists and values may be in an expression. */
export const MOST_NODES = 1_000;

/** Reads an expression that is JSON already. */
export function parseExpression(json: unknown): { readonly expression: Expression } | { readonly faults: Fault[] } {
  const sizes = faultsOfSize(json);
  if (sizes.length > 0) return { faults: sizes };
  const reading = new Reading();
  reading.expression(json);
  if (reading.faults.length > 0) return { faults: reading.faults };
  const isValue = isAggregate(json as Expression);
  return { expression: (isValue ? aggregate : condition).parse(json) };
}

/** In definitions: every fault becomes an issue with its place. */
export const compute = z.unknown().transform((json, context): Expression => {
  const read = parseExpression(json);
  if ('expression' in read) return read.expression;
  for (const { path, wrong } of read.faults)
    context.issues.push({ code: 'custom', input: json, path: [...path], message: wrong });
  return z.NEVER;
});

/** `compute.of.where.all[1].above` */
export const placeOf = (path: readonly PropertyKey[]): string =>
  path.map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i === 0 ? '' : '.'}${String(step)}`)).join('');

type Members = Readonly<Record<string, unknown>>;
type Path = readonly PropertyKey[];
const isObject = (json: unknown): json is Members => typeof json === 'object' && json !== null && !Array.isArray(json);

/** Found before anything else is looked at, without recursion: what is too deep or too much could break the reading. */
function faultsOfSize(json: unknown): Fault[] {
  const faults: Fault[] = [];
  const open: { readonly value: unknown; readonly path: Path; readonly depth: number }[] = [
    { value: json, path: [], depth: 0 },
  ];
  for (let nodes = 1; open.length > 0; nodes++) {
    if (nodes > MOST_NODES)
      return [...faults, { path: [], wrong: `must have at most ${MOST_NODES} objects, lists and values in all` }];
    const { value, path, depth } = open.pop() as (typeof open)[number];
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, inner] of Object.entries(value)) {
      const step = Array.isArray(value) ? Number(name) : name;
      const inside = [...path, step];
      const deeper = depth + (step === 'all' || step === 'any' || step === 'not' ? 1 : 0);
      if (name === '__proto__') faults.push({ path: inside, wrong: 'must not be the name of a member' });
      else if (deeper > MOST_DEPTH || inside.length > 4 * MOST_DEPTH)
        faults.push({ path: inside, wrong: `all, any and not must stand at most ${MOST_DEPTH} deep in one another` });
      else open.push({ value: inner, path: inside, depth: deeper });
    }
  }
  return faults;
}

const leaves = { path: leaf, trait: ofTrait, computed: ofComputed } as const;
const groups = ['all', 'any', 'not'] as const;
type Tag = keyof typeof leaves | 'aggregate' | (typeof groups)[number];
const ofEvents: readonly Tag[] = ['path', ...groups];
const ofProfiles: readonly Tag[] = ['trait', 'computed', 'aggregate', ...groups];

/** What other languages call it. */
const elsewhere = new Map(
  Object.entries({
    is: ['eq', '=', '==', 'equals', 'equal', 'value'],
    oneOf: ['in', 'isOneOf'],
    above: ['gt', '>', 'greaterThan', 'moreThan', 'over'],
    atLeast: ['gte', '>=', 'minimum', 'from'],
    below: ['lt', '<', 'lessThan', 'under'],
    atMost: ['lte', '<=', 'maximum', 'to'],
    contains: ['like', 'has', 'matches'],
    after: ['since'],
    before: ['until'],
    all: ['and'],
    any: ['or'],
    not: ['none', 'isNot'],
    of: ['events', 'from'],
    event: ['name', 'events'],
    within: ['window', 'last', 'during'],
    where: ['filter', 'when'],
    value: ['property', 'field', 'path'],
    path: ['property', 'field'],
    average: ['avg', 'mean'],
    uniqueCount: ['distinct', 'countDistinct'],
    min: ['minimum', 'least'],
    max: ['maximum', 'most'],
  }).flatMap(([ours, others]) => others.map((other) => [`${ours}/${other.toLowerCase()}`, ours] as const)),
);

/** Follows an expression and says of each part what is wrong with it, as what it was meant to be. */
class Reading {
  readonly faults: Fault[] = [];

  expression(json: unknown): void {
    if (isObject(json) && Object.hasOwn(json, 'aggregate') && !comparisons.some((name) => Object.hasOwn(json, name)))
      this.#aggregate(json, [], []);
    else this.#question(json, [], ofProfiles);
  }

  #say(path: Path, wrong: string): undefined {
    this.faults.push({ path, wrong });
  }

  #question(json: unknown, path: Path, tags: readonly Tag[]): undefined {
    if (!isObject(json)) return this.#say(path, `must be a question: an object with one of ${tags.join(', ')}`);
    const [tag, other] = tags.filter((one) => Object.hasOwn(json, one));
    if (!tag) {
      const meant = Object.keys(json).flatMap((name) => nearest(name, tags) ?? []);
      const hint = meant[0] ? `; was ${meant[0]} meant?` : '';
      return this.#say(path, `must have one of ${tags.join(', ')}${hint}`);
    }
    if (other) return this.#say([...path, other], `must not stand beside ${tag}`);
    if (tag === 'aggregate') {
      this.#aggregate(json, path, comparisons);
      return this.#comparing(json, path);
    }
    if (tag === 'path' || tag === 'trait' || tag === 'computed') {
      this.#shape(leaves[tag], json, path);
      return this.#comparing(json, path);
    }
    this.#names(json, path, [tag]);
    const inside = json[tag];
    if (tag === 'not') return this.#question(inside, [...path, tag], tags);
    if (!Array.isArray(inside) || inside.length === 0)
      return this.#say([...path, tag], 'must be a list of at least one question');
    for (const [i, one] of inside.entries()) this.#question(one, [...path, tag, i], tags);
  }

  #aggregate(json: Members, path: Path, besides: readonly string[]): undefined {
    const { aggregate: name, of } = json;
    const found = aggregate.options.find(({ shape }) => shape.aggregate.safeParse(name).success);
    if (!found) {
      const meant = typeof name === 'string' ? nearest(name, aggregates) : undefined;
      const hint = meant ? `; was ${meant} meant?` : '';
      return this.#say([...path, 'aggregate'], `must be one of ${aggregates.join(', ')}${hint}`);
    }
    const { of: _, ...rest } = json;
    const own = Object.fromEntries(Object.entries(rest).filter(([name]) => !besides.includes(name)));
    this.#shape(found, own, path, [...Object.keys(found.shape), ...besides]);
    if (besides.length > 0) {
      const said = Object.fromEntries(Object.entries(rest).filter(([name]) => besides.includes(name)));
      this.#shape(ofTrait, { trait: 'any', ...said }, path);
    }
    if (of === undefined) return;
    if (!isObject(of))
      return this.#say(
        [...path, 'of'],
        'must be an object that says which events, such as {"event": "Order Completed"}',
      );
    const { where, ...events_ } = of;
    this.#shape(events, events_, [...path, 'of']);
    if (where !== undefined) this.#question(where, [...path, 'of', 'where'], ofEvents);
  }

  /** Faults of what zod knows, in words. */
  #shape(schema: z.ZodObject, json: Members, path: Path, known = Object.keys(schema.shape)): void {
    const issues = schema.safeParse(json, { reportInput: true }).error?.issues ?? [];
    const misnamed = issues.some(({ code, path }) => code === 'unrecognized_keys' && path.length === 0);
    for (const issue of issues) {
      // What is missing beside a name that there is not is most likely what that was meant to be.
      const missing =
        issue.path.length === 0 ? issue.code === 'custom' : issue.path.length === 1 && issue.input === undefined;
      if (!misnamed || !missing) this.#tell(meantBy(issue, json), path, known);
    }
  }

  #tell(issue: z.core.$ZodIssue, path: Path, known: readonly string[]): undefined {
    const at = [...path, ...issue.path];
    const inside = issue.path.at(-1);
    if (issue.code !== 'unrecognized_keys') return this.#say(at, wordsOf(issue));
    const names = inside === undefined ? known : ['days', 'hours'];
    for (const name of issue.keys) this.#unknown([...at, name], name, names);
  }

  #names(json: Members, path: Path, known: readonly string[]): void {
    for (const name of Object.keys(json)) if (!known.includes(name)) this.#unknown([...path, name], name, known);
  }

  #unknown(path: Path, name: string, known: readonly string[]): void {
    const meant = nearest(name, known);
    this.#say(
      path,
      meant
        ? `there is no ${name} here; was ${meant} meant?`
        : `there is no ${name} here; there are ${known.join(', ')}`,
    );
  }

  /** What can never hold, of a question that is well-formed so far. */
  #comparing(json: Members, path: Path): undefined {
    if (this.faults.some((fault) => path.every((step, i) => fault.path[i] === step))) return;
    const asked = json as Compared;
    const wrong = neverHolds(asked) ?? beyondTime(asked);
    if (wrong) this.#say([...path, wrong.at], wrong.wrong);
  }
}

/** Of a window the issue that belongs to what it says. */
function meantBy(issue: z.core.$ZodIssue, json: Members): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union' || issue.errors.length !== 2) return issue;
  const window = json[String(issue.path[0])];
  if (!isWindow(String(issue.path[0]))) return issue;
  if (!isObject(window))
    return {
      code: 'custom',
      path: issue.path,
      message: 'must be a window such as {"days": 30} or {"hours": 12}',
      input: window,
    };
  const branch = issue.errors[
    Object.hasOwn(window, 'hours') && !Object.hasOwn(window, 'days') ? 1 : 0
  ] as z.core.$ZodIssue[];
  const first = branch.find(({ code }) => code === 'unrecognized_keys') ?? branch[0];
  return first ? { ...first, path: [...issue.path, ...first.path] } : issue;
}

const isWindow = (name: string): boolean => name === 'within' || name === 'newerThan' || name === 'olderThan';

const kindNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return kindNames[Array.isArray(value) ? 'array' : typeof value] ?? 'nothing';
}

function wordsOf(issue: z.core.$ZodIssue): string {
  const name = String(issue.path.at(-1) ?? '');
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return `${name} is missing`;
      if (issue.expected === 'int') return 'must be a whole number';
      return `must be ${kindNames[issue.expected] ?? issue.expected}, not ${kindOf(issue.input)}`;
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array'
        ? 'must not be empty'
        : `must be at least ${issue.minimum}`;
    case 'too_big': {
      const hint = name === 'hours' ? '; say days' : name === 'days' ? ', which are ten years' : '';
      return `must be at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : hint}`;
    }
    case 'invalid_value': {
      const meant = typeof issue.input === 'string' ? nearest(issue.input, issue.values.map(String)) : undefined;
      return `must be one of ${issue.values.join(', ')}${meant ? `; was ${meant} meant?` : ''}`;
    }
    default:
      return issue.message;
  }
}

const families = {
  number: ['above', 'atLeast', 'below', 'atMost'],
  text: ['contains', 'startsWith', 'endsWith', 'after', 'before', 'newerThan', 'olderThan'],
  list: ['includes'],
} as const;
type Kind = keyof typeof families | 'boolean';

const numeric = ['count', 'daysSince', 'sum', 'average', 'min', 'max', 'uniqueCount'];
type Compared = Comparing & Partial<Aggregate> & { readonly path?: string; readonly value?: string };
const partIn = ({ path, value }: Compared) => [path, value].find((one) => one !== undefined && isPartOfTime(one));

function kindsOf(asked: Compared): readonly Kind[] {
  const { aggregate: name } = asked;
  if (name === 'uniqueList') return ['list'];
  if (numeric.includes(name ?? '') || partIn(asked)) return ['number'];
  if (name === undefined) return ['number', 'text', 'list', 'boolean'];
  return name === 'mostFrequent' ? ['text'] : ['text', 'number', 'boolean'];
}

/** What is beyond all hours or weekdays that there are. */
function beyondTime(asked: Compared): { readonly at: string; readonly wrong: string } | undefined {
  const { aggregate: name } = asked;
  const part = partIn(asked);
  if (!part || !isPartOfTime(part) || (name !== undefined && !partsOfSome.includes(name))) return undefined;
  const values = valuesOf(part);
  const possible =
    name === undefined ? values : [undefined, ...(name === 'uniqueList' ? values.map((one) => [one]) : values)];
  if (possible.some((one) => compares(one, asked, 0, 'UTC'))) return undefined;
  const at = comparisons.find((one) => Object.hasOwn(asked, one)) ?? '';
  return { at, wrong: `can never hold: ${part} is a whole number from ${values[0]} to ${values.at(-1)}` };
}
/** Aggregates that answer some of the values that they are of. */
const partsOfSome = ['min', 'max', 'first', 'last', 'mostFrequent', 'uniqueList'];

/** Why a comparison holds of nothing that there can be, and which member shows it. */
function neverHolds(asked: Compared): { readonly at: string; readonly wrong: string } | undefined {
  const answers = kindsOf(asked);
  const what = asked.aggregate ?? asked.path;
  const said = (Object.keys(families) as (keyof typeof families)[]).flatMap((kind) =>
    families[kind].filter((name) => asked[name] !== undefined).map((name) => ({ kind, name: name as string })),
  );
  const [first] = said;
  const stranger = said.find(({ kind }) => !answers.includes(kind));
  if (stranger)
    return {
      at: stranger.name,
      wrong: `can never hold: ${what} is ${answers.map(nameOf).join(' or ')}`,
    };
  const other = said.find(({ kind }) => kind !== first?.kind);
  if (first && other)
    return {
      at: other.name,
      wrong: `can never hold beside ${first.name}: nothing is ${nameOf(first.kind)} and ${nameOf(other.kind)}`,
    };
  const candidates = asked.is === undefined ? asked.oneOf : [asked.is];
  const named = asked.is === undefined ? 'oneOf' : 'is';
  if (asked.exists === false && (first || candidates))
    return { at: 'exists', wrong: `can never hold beside ${first?.name ?? named}` };
  if (candidates) {
    // Whether a time is new depends on when it is asked.
    const { newerThan: _, olderThan: __, ...lasting } = asked;
    const possible = candidates.filter((one) =>
      answers.includes(typeof one === 'string' ? 'text' : (typeof one as Kind)),
    );
    if (possible.length === 0)
      return { at: named, wrong: `can never hold: ${what} is ${answers.map(nameOf).join(' or ')}` };
    if (!isZoned(asked) && !possible.some((one) => compares(one, lasting, 0, 'UTC')))
      return { at: named, wrong: 'can never hold beside what else is said' };
    return undefined;
  }
  return emptyRange(asked);
}

const nameOf = (kind: Kind): string => kindNames[kind === 'text' ? 'string' : kind === 'list' ? 'array' : kind] ?? kind;
/** A time that does not say what it is ahead of UTC is another one elsewhere. */
const isZoned = ({ after, before }: Comparing): boolean => after !== undefined || before !== undefined;

function emptyRange({ above, atLeast, below, atMost, after, before, newerThan, olderThan }: Comparing) {
  const lower = above !== undefined && above >= (atLeast ?? Number.NEGATIVE_INFINITY) ? 'above' : 'atLeast';
  const upper = below !== undefined && below <= (atMost ?? Number.POSITIVE_INFINITY) ? 'below' : 'atMost';
  const low = lower === 'above' ? above : atLeast;
  const high = upper === 'below' ? below : atMost;
  if (
    low !== undefined &&
    high !== undefined &&
    (low > high || (low === high && (lower === 'above' || upper === 'below')))
  )
    return { at: upper, wrong: `can never hold beside ${lower}: no number is ${lower} ${low} and ${upper} ${high}` };
  const wide = 26 * 3_600_000;
  if (
    after !== undefined &&
    before !== undefined &&
    (momentOf(after, 'UTC') ?? 0) >= (momentOf(before, 'UTC') ?? 0) + (after === before ? 0 : wide)
  )
    return { at: 'before', wrong: `can never hold beside after: no time is after ${after} and before ${before}` };
  const length = (one: NonNullable<typeof newerThan>) => ('days' in one ? one.days * 24 : one.hours);
  if (
    newerThan &&
    olderThan &&
    length(olderThan) >= length(newerThan) + ('days' in newerThan === 'days' in olderThan ? 0 : 50)
  )
    return { at: 'olderThan', wrong: 'can never hold beside newerThan' };
  return undefined;
}

/** The known name that somebody may have meant. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  const same = known.find((one) => one.toLowerCase() === lower || elsewhere.has(`${one}/${lower}`));
  if (same) return same;
  const [best] = known
    .map((one) => ({ one, edits: editsBetween(lower, one.toLowerCase()) }))
    .filter(({ one, edits }) => edits <= Math.max(1, Math.floor(one.length / 3)))
    .sort((a, b) => a.edits - b.edits);
  return best?.one;
}

/** Letters left out, put in, taken for others or for their neighbours. */
function editsBetween(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 3) return 9;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let edits = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        edits = Math.min(edits, (before[j - 2] ?? 0) + 1);
      row.push(edits);
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 9;
}
