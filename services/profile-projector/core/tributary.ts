import type { Consent, EventCount, Identifier, Trait, Tributary, TributaryAmount } from '#schemas/generated/records.ts';
import { groupKey, laterMembership } from './groups.ts';
import { interactionKey, laterInteraction } from './interactions.ts';
import { type Flag, limits } from './limits.ts';
import { addMicros, addProducts, orderKey, productKey } from './order.ts';
import { cutSessions, unionSessions } from './sessions.ts';
import { cut, newest, none, union } from './sorted.ts';
import { earlierTouch, laterTouch } from './touch.ts';

/*
 * A tributary is the fold of the events that one identifier routed. It is a commutative monoid: `merge` is associative and
 * commutative, `empty` its unit; so an event, a part and a whole are the same type, and neither order nor batching nor
 * partitioning can show in the result. (It is not idempotent: counts add. Each event is folded once.)
 */

/** The tributary of an identifier of which no event is known. */
export const empty = (identifier: Identifier, updatedAt = 0): Tributary => ({
  identifier,
  kind: 'person',
  events: 0,
  event_counts: none,
  traits: none,
  revenue: none,
  orders: none,
  products: none,
  first_touch: null,
  last_touch: null,
  sessions: none,
  groups: none,
  interactions: none,
  consents: none,
  sources: none,
  flags: none,
  first_seen: null,
  last_seen: null,
  updated_at: updatedAt,
});

/** Both together. Arrays that the other side does not change are passed on as they are: equal by reference. */
export function merge(a: Tributary, b: Tributary): Tributary {
  if (b.events === 0 && addsNothing(b, a)) return a;
  const traits = union(a.traits, b.traits, traitName, laterTrait);
  const eventCounts = union(a.event_counts, b.event_counts, eventName, addCounts);
  const revenue = union(a.revenue, b.revenue, currencyOf, addAmounts);
  const consents = union(a.consents, b.consents, purposeOf, laterConsent);
  const orders = union(a.orders, b.orders, orderKey, first);
  const products = union(a.products, b.products, productKey, addProducts);
  const sessions = unionSessions(a.sessions, b.sessions);
  const keptSessions = cutSessions(sessions);
  const groups = union(a.groups, b.groups, groupKey, laterMembership);
  const interactions = union(a.interactions, b.interactions, interactionKey, laterInteraction);
  const sources = union(a.sources, b.sources, itself, first);
  let flags = union(a.flags, b.flags, itself, first);
  if (traits.length > limits.traits) flags = withFlag(flags, 'traits_cut');
  if (eventCounts.length > limits.eventNames) flags = withFlag(flags, 'event_names_cut');
  if (revenue.length > limits.currencies) flags = withFlag(flags, 'currencies_cut');
  if (orders.length > limits.orders) flags = withFlag(flags, 'orders_cut');
  if (products.length > limits.products) flags = withFlag(flags, 'products_cut');
  if (keptSessions !== sessions) flags = withFlag(flags, 'sessions_cut');
  if (groups.length > limits.groups) flags = withFlag(flags, 'groups_cut');
  if (interactions.length > limits.interactions) flags = withFlag(flags, 'interactions_cut');
  if (consents.length > limits.consents) flags = withFlag(flags, 'consents_cut');
  if (sources.length > limits.sources) flags = withFlag(flags, 'sources_cut');
  return {
    identifier: smallerIdentifier(a.identifier, b.identifier),
    kind: a.kind === 'account' ? a.kind : b.kind,
    events: a.events + b.events,
    event_counts: cut(eventCounts, limits.eventNames),
    traits: cut(traits, limits.traits),
    revenue: cut(revenue, limits.currencies),
    orders: cut(orders, limits.orders),
    products: cut(products, limits.products),
    first_touch: earlierTouch(a.first_touch, b.first_touch),
    last_touch: laterTouch(a.last_touch, b.last_touch),
    sessions: keptSessions,
    groups: newest(groups, limits.groups),
    interactions: newest(interactions, limits.interactions),
    consents: cut(consents, limits.consents),
    sources: cut(sources, limits.sources),
    flags,
    first_seen: earlier(a.first_seen, b.first_seen),
    last_seen: later(a.last_seen, b.last_seen),
    updated_at: Math.max(a.updated_at, b.updated_at),
  };
}

/** Such as that an identifier was discovered of which there were events before: nothing need be written again. */
const addsNothing = (part: Tributary, whole: Tributary): boolean =>
  part.updated_at <= whole.updated_at &&
  (part.kind === whole.kind || part.kind === 'person') &&
  part.identifier.hash === whole.identifier.hash &&
  part.identifier.value === whole.identifier.value &&
  part.event_counts.length === 0 &&
  part.traits.length === 0 &&
  part.revenue.length === 0 &&
  part.orders.length === 0 &&
  part.products.length === 0 &&
  part.first_touch === null &&
  part.last_touch === null &&
  part.sessions.length === 0 &&
  part.groups.length === 0 &&
  part.interactions.length === 0 &&
  part.consents.length === 0 &&
  part.sources.length === 0 &&
  part.flags.length === 0 &&
  part.first_seen === null &&
  part.last_seen === null;

const itself = (text: string): string => text;
const first = <T>(one: T): T => one;
const traitName = (trait: Trait): string => trait.name;
const eventName = (count: EventCount): string => count.event;
const currencyOf = (amount: TributaryAmount): string => amount.currency;
const purposeOf = (consent: Consent): string => consent.purpose;

const addCounts = (a: EventCount, b: EventCount): EventCount => ({ event: a.event, count: a.count + b.count });
const addAmounts = (a: TributaryAmount, b: TributaryAmount): TributaryAmount => ({
  currency: a.currency,
  micros: addMicros(a.micros, b.micros),
});

/** The last writer wins: by corrected timestamp, then message id, then source; the text decides between what else is equal. */
function laterTrait(a: Trait, b: Trait): Trait {
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp ? a : b;
  if (a.message_id !== b.message_id) return a.message_id > b.message_id ? a : b;
  if (a.source !== b.source) return a.source > b.source ? a : b;
  if (a.value !== b.value) return a.value > b.value ? a : b;
  return a.sensitivity >= b.sensitivity ? a : b;
}

/** The newest wins, a denial wins ties; then the larger source and policy version. */
export function laterConsent(a: Consent, b: Consent): Consent {
  if (a.time !== b.time) return a.time > b.time ? a : b;
  if (a.state !== b.state) return a.state < b.state ? a : b; // denied < granted
  if (a.source !== b.source) return a.source > b.source ? a : b;
  if (a.policy_version === null) return b;
  return b.policy_version === null || a.policy_version >= b.policy_version ? a : b;
}

function smallerIdentifier(a: Identifier, b: Identifier): Identifier {
  if (a === b || a.hash < b.hash) return a;
  if (a.hash > b.hash) return b;
  return a.value <= b.value ? a : b;
}

const earlier = (a: number | null, b: number | null): number | null => (a === null ? b : b === null || a < b ? a : b);
const later = (a: number | null, b: number | null): number | null => (a === null ? b : b === null || a > b ? a : b);

export const withFlag = (flags: readonly string[], flag: Flag): readonly string[] =>
  union(flags, [flag], itself, first);
