import type {
  Amount,
  ComputedTrait,
  Identifier,
  Profile,
  Trait,
  TraitOrigin,
  Tributary,
} from '#schemas/generated/records.ts';
import { formatMicros } from '#shared/money/decimal.ts';
import { shownInteractions } from './interactions.ts';
import { limits } from './limits.ts';
import { orderCountOf, shownProducts } from './order.ts';
import { noSessions, summaryOf } from './sessions.ts';
import { none } from './sorted.ts';
import { nameOfOrigin, type Shown, shown } from './trait-paths.ts';
import { merge, withFlag } from './tributary.ts';

/** What a profile says about a customer: a function of its tributaries, and of whether it is in quarantine, to the byte. */
export type Content = Pick<
  Profile,
  | 'kind'
  | 'identifiers'
  | 'traits'
  | 'trait_origins'
  | 'computed'
  | 'audiences'
  | 'consents'
  | 'events'
  | 'event_counts'
  | 'revenue'
  | 'order_count'
  | 'products'
  | 'first_touch'
  | 'last_touch'
  | 'session_count'
  | 'session_ms'
  | 'first_session_at'
  | 'last_session_at'
  | 'last_session_until'
  | 'last_session_events'
  | 'groups'
  | 'interactions'
  | 'sources'
  | 'first_seen'
  | 'last_seen'
  | 'flags'
>;

/** The content of a profile without tributaries: what a first version, and a last one, is compared with. */
export const nothing: Content = Object.freeze({
  kind: 'person',
  identifiers: none,
  traits: none,
  trait_origins: none,
  computed: none,
  audiences: none,
  consents: none,
  events: 0,
  event_counts: none,
  revenue: none,
  order_count: 0,
  products: none,
  first_touch: null,
  last_touch: null,
  ...noSessions,
  groups: none,
  interactions: none,
  sources: none,
  first_seen: null,
  last_seen: null,
  flags: none,
});

/** How sensitive a trait is: none, personal or sensitive. */
export type SensitivityOf = (name: string) => string;

/**
 * The content of the profile that has these tributaries, each of another identifier; in any order.
 * @param sensitivityOf of traits by name, as definitions say; none is where it is absent
 * @param computedOf what is computed, given the traits
 */
export function combine(
  tributaries: readonly Tributary[],
  quarantined = false,
  sensitivityOf?: SensitivityOf,
  computedOf: (traits: readonly Trait[]) => readonly ComputedTrait[] = () => none,
): Content {
  const whole = sumOf(tributaries);
  if (!whole) return nothing;
  const identifiers = identifiersOf(tributaries);
  const { traits, origins, areCut } = traitsOf(whole, sensitivityOf);
  let { flags } = whole;
  if (identifiers.length < tributaries.length) flags = withFlag(flags, 'identifiers_cut');
  if (areCut) flags = withFlag(flags, 'traits_cut');
  if (quarantined) flags = withFlag(flags, 'quarantined');
  const sessions = summaryOf(whole.sessions);
  return {
    kind: whole.kind,
    identifiers,
    traits,
    trait_origins: origins,
    computed: computedOf(traits),
    audiences: none,
    consents: whole.consents,
    events: whole.events,
    event_counts: whole.event_counts,
    revenue: amountsOf(whole),
    order_count: whole.orders.length === 0 ? 0 : orderCountOf(whole.orders, !whole.flags.includes('orders_cut')),
    products: whole.products.length === 0 ? none : shownProducts(whole.products),
    first_touch: whole.first_touch,
    last_touch: whole.last_touch,
    session_count: sessions.session_count,
    session_ms: sessions.session_ms,
    first_session_at: sessions.first_session_at,
    last_session_at: sessions.last_session_at,
    last_session_until: sessions.last_session_until,
    last_session_events: sessions.last_session_events,
    groups: whole.groups,
    interactions: shownInteractions(whole.interactions),
    sources: whole.sources,
    first_seen: whole.first_seen,
    last_seen: whole.last_seen,
    flags,
  };
}

function sumOf(tributaries: readonly Tributary[]): Tributary | undefined {
  let whole: Tributary | undefined;
  for (const one of tributaries) whole = whole ? merge(whole, one) : one;
  return whole;
}

/** Sorted by type and value; without the longest, where all would take too many bytes. */
function identifiersOf(tributaries: readonly Tributary[]): readonly Identifier[] {
  const sorted = tributaries
    .map((tributary) => tributary.identifier)
    .sort((a, b) =>
      a.type !== b.type ? (a.type < b.type ? -1 : 1) : a.value < b.value ? -1 : a.value > b.value ? 1 : 0,
    );
  return withoutLongest(sorted, bytesOf, limits.identifierBytes);
}

const bytesOf = ({ type, value, hash }: Identifier): number =>
  Buffer.byteLength(type) + Buffer.byteLength(value) + hash.length;

/** What is left of a sorted list without the longest items, where all would take more than `most`; of equally long ones the later go. */
function withoutLongest<T>(sorted: readonly T[], bytesOf: (one: T) => number, most: number): readonly T[] {
  let left = most;
  for (const one of sorted) left -= bytesOf(one);
  if (left >= 0) return sorted;
  const gone = new Set<T>();
  // The sort is stable.
  for (const one of sorted.toReversed().sort((a, b) => bytesOf(b) - bytesOf(a))) {
    if (left >= 0) break;
    gone.add(one);
    left += bytesOf(one);
  }
  return sorted.filter((one) => !gone.has(one));
}

/** So many parts fit, however large they are. */
const PARTS_THAT_FIT = 100;

function traitsOf(whole: Tributary, sensitivityOf: SensitivityOf | undefined): Shown & { readonly areCut: boolean } {
  let { traits, origins } = shown(whole.traits);
  let areCut = false;
  if (whole.traits.length > PARTS_THAT_FIT) {
    const all = traits.length;
    ({ traits, origins } = withinBytes(traits, origins));
    areCut = traits.length < all;
  }
  if (sensitivityOf) traits = traits.map((trait) => ({ ...trait, sensitivity: sensitivityOf(trait.name) }));
  return { traits, origins, areCut };
}

function withinBytes(traits: readonly Trait[], origins: readonly TraitOrigin[]): Shown {
  const byTrait = Map.groupBy(origins, nameOfOrigin);
  const left = withoutLongest(
    traits,
    (trait) => {
      let bytes = Buffer.byteLength(trait.name) + Buffer.byteLength(trait.value) + bytesOfOrigin(trait);
      for (const origin of byTrait.get(trait.name) ?? [])
        bytes += Buffer.byteLength(origin.path) + bytesOfOrigin(origin);
      return bytes;
    },
    limits.traitBytes,
  );
  if (left === traits) return { traits, origins };
  const names = new Set(left.map(({ name }) => name));
  return { traits: left, origins: origins.filter((origin) => names.has(nameOfOrigin(origin))) };
}

const bytesOfOrigin = ({ message_id, source }: Pick<Trait, 'message_id' | 'source'>): number =>
  Buffer.byteLength(message_id) + Buffer.byteLength(source) + 8;

const amountsOf = (whole: Tributary): readonly Amount[] =>
  whole.revenue.length === 0
    ? none
    : whole.revenue.map(({ currency, micros }) => ({ currency, amount: formatMicros(BigInt(micros)) }));

const fields = Object.keys(nothing).sort() as (keyof Content)[];

/** In these it is told which of them differ: `traits.plan`. */
const nameIn: { readonly [F in keyof Content]?: string } = {
  traits: 'name',
  computed: 'name',
  consents: 'purpose',
};

/** Paths of what differs, sorted: of fields, or of what is in them. */
export function changedFields(before: Content, after: Content): string[] {
  const changed: string[] = [];
  for (const field of fields) {
    if (same(before[field], after[field])) continue;
    const name = nameIn[field];
    if (name === undefined) changed.push(field);
    else for (const one of differing(name, before[field], after[field])) changed.push(`${field}.${one}`);
  }
  return changed.sort();
}

type Named = readonly Readonly<Record<string, unknown>>[];

function differing(name: string, before: unknown, after: unknown): string[] {
  const were = new Map((before as Named).map((one) => [one[name], one]));
  const are = new Map((after as Named).map((one) => [one[name], one]));
  return [...new Set([...were.keys(), ...are.keys()])]
    .filter((one) => !same(were.get(one) ?? null, are.get(one) ?? null))
    .map(String);
}

/** Deep equality of what records are made of: null, numbers, strings, arrays and objects with the same own fields. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    const other = b as readonly unknown[];
    if (a.length !== other.length) return false;
    for (let i = 0; i < a.length; i++) if (!same(a[i], other[i])) return false;
    return true;
  }
  for (const field of Object.keys(a)) {
    if (!same((a as Record<string, unknown>)[field], (b as Record<string, unknown>)[field])) return false;
  }
  return true;
}
