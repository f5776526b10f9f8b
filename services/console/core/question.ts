import type { Place } from './cursor.ts';
import type { Reference } from './reference.ts';

/** What a request to the read API asks for. */
export type Question = AnswerableQuestion | { readonly part: 'live' };

/** What is answered once, and by JSON. */
export type AnswerableQuestion = ProfileQuestion | IdentityQuestion | { readonly part: 'document' };

export type ProfileQuestion =
  | {
      readonly part: 'profile' | 'traits' | 'computed' | 'consents';
      readonly reference: Reference;
      /** As it was then, milliseconds; undefined: as it is. */
      readonly at: number | undefined;
    }
  | { readonly part: 'identifiers'; readonly reference: Reference }
  | { readonly part: 'events'; readonly reference: Reference; readonly page: Page<'events'> }
  | { readonly part: 'history'; readonly reference: Reference; readonly page: Page<'history'> }
  /** Each may be no reference at all: only that one is refused. */
  | { readonly part: 'batch'; readonly profiles: readonly string[] }
  | { readonly part: 'audiences'; readonly reference: Reference; readonly subset: readonly string[] };

export type IdentityQuestion =
  | { readonly part: 'explain'; readonly reference: Reference; readonly other: Reference }
  | { readonly part: 'graph' | 'where'; readonly reference: Reference }
  /** Milliseconds. */
  | { readonly part: 'as-of'; readonly reference: Reference; readonly time: number }
  | { readonly part: 'health' };

export interface Page<L extends 'events' | 'history'> {
  readonly limit: number;
  /** Only what is older than this: milliseconds for events, a version for history. */
  readonly before: number | undefined;
  /** Only what comes after this. */
  readonly after: Place<L> | undefined;
}
