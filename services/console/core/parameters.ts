import { type Place, placeIn } from './cursor.ts';
import { Problem } from './problem.ts';
import { parseReference, type Reference } from './reference.ts';
import { timeIn } from './times.ts';

/** A parameter of a query: how the document describes it, and how its text is read. */
export interface Parameter<T = unknown> {
  readonly description: string;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly required: boolean;
  /** @throws Problem */
  readonly read: (text: string | null, name: string) => T;
}
export type Parameters = Readonly<Record<string, Parameter>>;
export type Values<P extends Parameters> = { readonly [K in keyof P]: ReturnType<P[K]['read']> };

const invalid = (name: string, wanted: string): Problem =>
  new Problem(400, 'invalid_parameter', `${name} must be ${wanted}`);

const optional = <T>(
  description: string,
  schema: Readonly<Record<string, unknown>>,
  wanted: string,
  read: (text: string) => T | undefined,
): Parameter<T | undefined> => ({
  description,
  schema,
  required: false,
  read(text, name) {
    if (text === null) return undefined;
    const value = read(text);
    if (value === undefined) throw invalid(name, wanted);
    return value;
  },
});

export const required = <T>(parameter: Parameter<T | undefined>, example: string): Parameter<T> => ({
  ...parameter,
  required: true,
  read(text, name) {
    const value = text === '' ? undefined : parameter.read(text, name);
    if (value === undefined) throw new Problem(400, 'missing_parameter', `this needs ${name}=${example}`);
    return value;
  },
});

export const time = (description: string) =>
  optional(
    description,
    { type: 'string', format: 'date-time' },
    'a time from 1970 to 2200, such as 2026-01-31T12:00:00Z',
    timeIn,
  );

export const whole = (description: string) =>
  optional(description, { type: 'integer', minimum: 0 }, 'a whole number', wholeIn);

const wholeIn = (text: string): number | undefined => (/^\d{1,15}$/.test(text) ? Number(text) : undefined);

const MOST_ROWS = 1_000;
const DEFAULT_ROWS = 100;
export const limit: Parameter<number> = {
  ...whole('how many rows at most'),
  schema: { type: 'integer', minimum: 1, maximum: MOST_ROWS, default: DEFAULT_ROWS },
  read: (text, name) => Math.min(MOST_ROWS, Math.max(1, whole('').read(text, name) ?? DEFAULT_ROWS)),
};

export const cursor = <L extends 'events' | 'history'>(list: L): Parameter<Place<L> | undefined> =>
  optional('the `next` of the page before', { type: 'string' }, 'the next of an earlier answer', (text) =>
    placeIn(list, text),
  );

export const reference = (description: string): Parameter<Reference | undefined> => ({
  description,
  schema: { type: 'string', example: 'email:ada@example.com' },
  required: false,
  read: (text, name) => (text === null ? undefined : referenceIn(text, name)),
});

/** @throws Problem */
export function referenceIn(text: string, what: string): Reference {
  const found = parseReference(text);
  if (!found)
    throw new Problem(
      400,
      'invalid_identifier',
      `${what} is asked for as type:value, such as user_id:42, external_id:crm:42 or profile_id:<uuid>`,
    );
  return found;
}

/** Reads all of them. One that is misspelled would be answered as if it were not there: it is refused. @throws Problem */
export function parametersIn<P extends Parameters>(search: string, parameters: P): Values<P> {
  const query = new URLSearchParams(search);
  const names = Object.keys(parameters);
  for (const name of query.keys()) {
    if (!names.includes(name))
      throw new Problem(
        400,
        'invalid_parameter',
        names.length > 0
          ? `there is a parameter that is not known here; there are ${names.join(', ')}`
          : 'there are no parameters here',
      );
    if (query.getAll(name).length > 1) throw new Problem(400, 'invalid_parameter', `${name} is there twice`);
  }
  const values = Object.fromEntries(
    Object.entries(parameters).map(([name, { read }]) => [name, read(query.get(name), name)]),
  );
  return values as Values<P>;
}
