/**
 * How much one tributary, and one profile, may hold. What exceeds a limit is cut in canonical order (the smallest names stay), never
 * by arrival, so that cutting commutes with folding; a flag says so. There is no limit on the bytes of all traits together: the value
 * of a trait may be replaced by a smaller one, and what that had displaced before would be missing. So the limits of each are such that
 * the largest tributary, and the largest profile, stay below what the loop takes, with message ids and names of sources as long as
 * the collector lets them be, of characters of three bytes.
 */
export const limits = {
  traits: 200,
  /** UTF-8 bytes of a trait's JSON text. A larger value is left out; the one before it stays. */
  traitValueBytes: 2_048,
  /** Characters of a trait's name. A trait with a longer one is left out. */
  traitName: 100,
  eventNames: 200,
  /** Characters of an event's name that are told apart. */
  eventName: 100,
  sources: 50,
  consents: 100,
  /** Characters of a consent's purpose and policy version. One with longer ones is left out. */
  consentText: 100,
  currencies: 50,
  /** UTF-8 bytes of a profile's identifiers, of those that are listed in it; the longest are left out. */
  identifierBytes: 100_000,
  /** Message ids in a record's `causes`. */
  causes: 20,
} as const;

/** What a profile's `flags` may hold. */
export type Flag =
  | 'consents_cut'
  | 'currencies_cut'
  | 'currency_unreadable'
  | 'event_name_cut'
  | 'event_names_cut'
  | 'identifiers_cut'
  | 'quarantined'
  | 'revenue_unreadable'
  | 'sources_cut'
  | 'trait_cut'
  | 'traits_cut';
