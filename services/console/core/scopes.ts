/** What a token may be given, and what it opens. */
export const SCOPES = {
  'profiles:read':
    'profiles, traits, computed traits, consents and identifiers, as of now and of earlier, and batches of them',
  'events:read': 'events as they were sent, whatever they hold',
  'identity:read': 'why identifiers are one profile, their decisions, and where something of a person is',
  'audiences:read': 'only which audiences somebody is in',
  'sensitive:read': 'what is sensitive, where traits and computed traits are told',
} as const;
export type Scope = keyof typeof SCOPES;
export const scopeNames = Object.keys(SCOPES) as Scope[];

/** What whoever shows a token may do. */
export interface Grant {
  /** Of the token: never its text. */
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
  /** Undefined: no limit. */
  readonly limit: { readonly perSecond: number; readonly burst: number } | undefined;
}
