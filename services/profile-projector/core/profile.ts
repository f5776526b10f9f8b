import type { Amount, Identifier, Profile, Trait, Tributary } from '#schemas/generated/records.ts';
import { formatMicros } from '#shared/money/decimal.ts';
import { limits } from './limits.ts';
import { merge, none, withFlag } from './tributary.ts';

/** What a profile says about a customer: a function of its tributaries, and of whether it is in quarantine, to the byte. */
export type Content = Pick<
  Profile,
  | 'kind'
  | 'identifiers'
  | 'traits'
  | 'computed'
  | 'audiences'
  | 'consents'
  | 'events'
  | 'event_counts'
  | 'revenue'
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
  computed: none,
  audiences: none,
  consents: none,
  events: 0,
  event_counts: none,
  revenue: none,
  sources: none,
  first_seen: null,
  last_seen: null,
  flags: none,
});

/** The content of the profile that has these tributaries, each of another identifier; in any order. */
export function combine(tributaries: readonly Tributary[], quarantined = false): Content {
  const [head, ...tail] = tributaries;
  if (!head) return nothing;
  const whole = tail.length === 0 ? head : tail.reduce(merge, head);
  const identifiers = identifiersOf(tributaries);
  let { flags } = whole;
  if (identifiers.length < tributaries.length) flags = withFlag(flags, 'identifiers_cut');
  if (quarantined) flags = withFlag(flags, 'quarantined');
  return {
    kind: whole.kind,
    identifiers,
    traits: withoutUnset(whole.traits),
    computed: none,
    audiences: none,
    consents: whole.consents,
    events: whole.events,
    event_counts: whole.event_counts,
    revenue: amountsOf(whole),
    sources: whole.sources,
    first_seen: whole.first_seen,
    last_seen: whole.last_seen,
    flags,
  };
}

/** `null` unsets a trait. The tributary keeps it, so that it wins over what was earlier and comes later. */
const withoutUnset = (traits: readonly Trait[]): readonly Trait[] =>
  traits.some(isUnset) ? traits.filter((trait) => !isUnset(trait)) : traits;
const isUnset = ({ value }: Trait): boolean => value === 'null';

/** Sorted by type and value; without the longest, where all would take too many bytes. */
function identifiersOf(tributaries: readonly Tributary[]): Identifier[] {
  const sorted = tributaries
    .map((tributary) => tributary.identifier)
    .sort((a, b) =>
      a.type !== b.type ? (a.type < b.type ? -1 : 1) : a.value < b.value ? -1 : a.value > b.value ? 1 : 0,
    );
  let left: number = limits.identifierBytes;
  for (const identifier of sorted) left -= bytesOf(identifier);
  if (left >= 0) return sorted;
  const cut = new Set<Identifier>();
  // The sort is stable, so that of equally long ones the later go.
  for (const identifier of sorted.toReversed().sort((a, b) => bytesOf(b) - bytesOf(a))) {
    if (left >= 0) break;
    cut.add(identifier);
    left += bytesOf(identifier);
  }
  return sorted.filter((identifier) => !cut.has(identifier));
}

const bytesOf = ({ type, value, hash }: Identifier): number =>
  Buffer.byteLength(type) + Buffer.byteLength(value) + hash.length;

const amountsOf = (whole: Tributary): readonly Amount[] =>
  whole.revenue.length === 0
    ? none
    : whole.revenue.map(({ currency, micros }) => ({ currency, amount: formatMicros(BigInt(micros)) }));

const fields = Object.keys(nothing).sort() as (keyof Content)[];

/** Names of the fields that differ, sorted. */
export function changedFields(before: Content, after: Content): string[] {
  return fields.filter((field) => !same(before[field], after[field]));
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
