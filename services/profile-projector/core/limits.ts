/**
 * How much one tributary, and one profile, may hold. What exceeds a limit is cut in canonical order (the smallest names stay), never
 * by arrival, so that cutting commutes with folding; a flag says so. Together they keep the largest tributary, and the
 * largest profile, below a megabyte, the largest record that Kafka takes as it comes.
 */
export const limits = {
  traits: 200,
  /** UTF-8 bytes of a trait's JSON text. A larger value is left out; the one before it stays. */
  traitValueBytes: 4_096,
  /** Characters of a trait's name. A trait with a longer one is left out. */
  traitName: 100,
  eventNames: 200,
  /** Characters of an event's name that are told apart. */
  eventName: 100,
  sources: 50,
  consents: 100,
  currencies: 50,
  /** Message ids in a record's `causes`. */
  causes: 20,
  /** Approximate bytes of traits in one piece of a move. */
  moveBytes: 500_000,
} as const;

/** What a profile's `flags` may hold. */
export type Flag =
  | 'consents_cut'
  | 'currencies_cut'
  | 'currency_unreadable'
  | 'event_name_cut'
  | 'event_names_cut'
  | 'revenue_unreadable'
  | 'sources_cut'
  | 'trait_cut'
  | 'traits_cut';
