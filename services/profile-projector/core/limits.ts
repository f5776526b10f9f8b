/**
 * How much one tributary, and one profile, may hold. What exceeds a limit is cut in canonical order (the smallest names stay), never
 * by arrival, so that cutting commutes with folding; a flag says so. There is no limit on the bytes of all traits together: the value
 * of a trait may be replaced by a smaller one, and what that had displaced before would be missing. So the limits of each are such that
 * the largest tributary, and the largest profile, stay below what the loop takes, with message ids and names of sources as long as
 * the collector lets them be, of characters of three bytes.
 */
export const limits = {
  /** Of an object each part counts, however deep it is in it. */
  traits: 200,
  /** UTF-8 bytes of a trait's JSON text. A larger value is left out; the one before it stays. */
  traitValueBytes: 2_048,
  /** Characters of a trait's name; of a part of an object, of the names that lead to it. A trait with a longer one is left out. */
  traitName: 100,
  eventNames: 200,
  /** Characters of an event's name that are told apart. */
  eventName: 100,
  sources: 50,
  consents: 100,
  /** Characters of a consent's purpose and policy version. One with longer ones is left out. */
  consentText: 100,
  currencies: 50,
  /** Order ids that are told apart; of more their number is estimated. */
  orders: 256,
  products: 100,
  /** Characters of a product's id and name. A product with a longer id is left out, a longer name is cut. */
  productText: 80,
  /** Characters of a campaign's parts and of a referrer. */
  touchText: 200,
  /** Days, of those with any, whose sessions are kept. */
  sessionDays: 60,
  groups: 20,
  /** Characters of a group's id. One with a longer one is left out. */
  groupText: 100,
  /** UTF-8 bytes of the traits of a membership. Larger ones are left out of it; the group's own profile has them. */
  groupTraitBytes: 1_024,
  interactions: 30,
  closedInteractions: 10,
  /** Characters of an interaction's id, channel, direction and agent. One with a longer id is left out, the others are cut. */
  interactionText: 100,
  /** UTF-8 bytes of a profile's traits, with where they came from; those that take most are left out. */
  traitBytes: 400_000,
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
  | 'group_cut'
  | 'groups_cut'
  | 'identifiers_cut'
  | 'interaction_unreadable'
  | 'interactions_cut'
  | 'orders_cut'
  | 'product_unreadable'
  | 'products_cut'
  | 'quarantined'
  | 'revenue_unreadable'
  | 'sessions_cut'
  | 'sources_cut'
  | 'trait_cut'
  | 'traits_cut';
