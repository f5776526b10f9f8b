import { isDeepStrictEqual } from 'node:util';
import type { Definition } from '#schemas/generated/records.ts';
import { inForceOf } from './feed.ts';
import type { Wanted } from './validate.ts';

/** What applying a definition does, or would do. */
export interface Change {
  readonly kind: string;
  readonly name: string;
  readonly what: 'created' | 'changed' | 'deleted' | 'unchanged';
  /** Of the definition afterwards; 0 where there never was one. */
  readonly version: number;
  /** Undefined where there is or will be none. */
  readonly before: unknown;
  readonly after: unknown;
}

/** Newest record of every definition, by `kind/name`; also of those that are deleted. */
export type Newest = ReadonlyMap<string, Definition>;

/** How what is wanted differs from what is in force. Definitions that are not named stay as they are. */
export function changesTo(newest: Newest, wanted: readonly Wanted[]): Change[] {
  return wanted.map(({ kind, name, body }) => {
    const record = newest.get(`${kind}/${name}`);
    const version = record?.version ?? 0;
    const before = record && !record.deleted ? (inForceOf(record)?.body ?? JSON.parse(record.body)) : undefined;
    const change = { kind, name, before, after: body };
    if (isDeepStrictEqual(before, body)) return { ...change, what: 'unchanged', version };
    const what = body === undefined ? 'deleted' : before === undefined ? 'created' : 'changed';
    return { ...change, what, version: version + 1 };
  });
}

/** Who changes definitions, and why. */
export interface Authorship {
  readonly actor: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The records that carry changes out. A deleted definition keeps its last body, so that it can be looked up. */
export const recordsOf = (changes: readonly Change[], authorship: Authorship): Definition[] =>
  changes
    .filter(({ what }) => what !== 'unchanged')
    .map(({ kind, name, what, version, before, after }) => ({
      kind,
      name,
      version,
      body: JSON.stringify(what === 'deleted' ? before : after),
      ...authorship,
      deleted: what === 'deleted',
    }));
