import { type Place, placeIn } from './cursor.ts';
import { Problem } from './problem.ts';
import { parseReference, type Reference } from './reference.ts';

const PARTS = ['traits', 'events', 'identifiers', 'history', 'explain', 'graph', 'as-of', 'where'] as const;
type Part = (typeof PARTS)[number];

/** What a request to the read API asks for. */
export type Question = ProfileQuestion | IdentityQuestion;

export type ProfileQuestion =
  | { readonly part: 'profile' | 'traits' | 'identifiers'; readonly reference: Reference }
  | { readonly part: 'events'; readonly reference: Reference; readonly page: Page<'events'> }
  | { readonly part: 'history'; readonly reference: Reference; readonly page: Page<'history'> };

export type IdentityQuestion =
  | { readonly part: 'explain'; readonly reference: Reference; readonly other: Reference }
  | { readonly part: 'graph' | 'where'; readonly reference: Reference }
  /** Milliseconds. */
  | { readonly part: 'as-of'; readonly reference: Reference; readonly time: number }
  | { readonly part: 'health' };

const identityParts: ReadonlySet<string> = new Set(['explain', 'graph', 'as-of', 'where', 'health']);

export const isAboutIdentity = (question: Question): question is IdentityQuestion => identityParts.has(question.part);

export interface Page<L extends 'events' | 'history'> {
  readonly limit: number;
  /** Only what is older than this: milliseconds for events, a version for history. */
  readonly before: number | undefined;
  /** Only what comes after this. */
  readonly after: Place<L> | undefined;
}

const MOST_ROWS = 1_000;
const DEFAULT_ROWS = 100;

/** @param target path and query of the request, as sent. @throws Problem */
export function questionOf(method: string, target: string): Question {
  const [path = '', search = ''] = target.split(/\?(.*)/s, 2);
  const [root, version, collection, written, part, ...more] = path.split('/');
  const isHealth = path === '/v1/identity/health';
  if (!isHealth && (root !== '' || version !== 'v1' || collection !== 'profiles' || !written || more.length > 0))
    throw new Problem(404, 'no_such_route', 'there is nothing at this address');
  if (part !== undefined && !PARTS.includes(part as Part))
    throw new Problem(404, 'no_such_route', `a profile has ${PARTS.join(', ')}`);
  if (method !== 'GET' && method !== 'HEAD') throw new Problem(405, 'method_not_allowed', 'only GET is answered');
  if (isHealth) return { part: 'health' };
  const reference = referenceOf(decoded(written as string), 'the profile');
  const query = new URLSearchParams(search);
  switch (part as Part | undefined) {
    case undefined:
      return { part: 'profile', reference };
    case 'traits':
    case 'identifiers':
      return { part: part as 'traits' | 'identifiers', reference };
    case 'graph':
    case 'where':
      return { part: part as 'graph' | 'where', reference };
    case 'as-of': {
      const time = timeOf(query.get('time'), 'time');
      if (time === undefined) throw new Problem(400, 'missing_parameter', 'as-of needs time=2026-01-31T12:00:00Z');
      return { part: 'as-of', reference, time };
    }
    case 'explain': {
      const other = query.get('with');
      if (!other) throw new Problem(400, 'missing_parameter', 'explain needs with=type:value');
      return { part: 'explain', reference, other: referenceOf(other, 'with') };
    }
    case 'events':
      return { part: 'events', reference, page: pageOf('events', query, timeOf(query.get('before'), 'before')) };
    case 'history':
      return { part: 'history', reference, page: pageOf('history', query, wholeOf(query, 'before')) };
  }
}

function decoded(written: string): string {
  try {
    return decodeURIComponent(written);
  } catch {
    throw new Problem(400, 'invalid_identifier', 'the identifier is not URL-encoded');
  }
}

function referenceOf(text: string, what: string): Reference {
  const reference = parseReference(text);
  if (!reference)
    throw new Problem(
      400,
      'invalid_identifier',
      `${what} is asked for as type:value, such as user_id:42, external_id:crm:42 or profile_id:<uuid>`,
    );
  return reference;
}

function pageOf<L extends 'events' | 'history'>(list: L, query: URLSearchParams, before: number | undefined): Page<L> {
  const limit = Math.min(MOST_ROWS, Math.max(1, wholeOf(query, 'limit') ?? DEFAULT_ROWS));
  const cursor = query.get('cursor');
  const after = cursor === null ? undefined : placeIn(list, cursor);
  if (cursor !== null && !after)
    throw new Problem(400, 'invalid_parameter', 'cursor must be the next of an earlier answer');
  return { limit, before, after };
}

function wholeOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new Problem(400, 'invalid_parameter', `${name} must be a whole number`);
  return Number(text);
}

function timeOf(text: string | null, name: string): number | undefined {
  if (text === null) return undefined;
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw new Problem(400, 'invalid_parameter', `${name} must be a time, such as 2026-01-31T12:00:00Z`);
  return time;
}
