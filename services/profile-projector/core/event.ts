import type {
  Consent,
  EventStitched,
  Identifier,
  Trait,
  Tributary,
  TributaryAmount,
} from '#schemas/generated/records.ts';
import { objectMembers } from '#shared/json/members.ts';
import { parseMicros } from '#shared/money/decimal.ts';
import { type Flag, limits } from './limits.ts';
import { laterConsent, none } from './tributary.ts';

/** How an event of this name counts towards revenue, if it does. */
export const revenueSign = (type: string, name: string | null): 1 | -1 | 0 => {
  if (type !== 'track') return 0;
  if (name === 'Order Completed') return 1;
  return name === 'Order Refunded' || name === 'Order Cancelled' ? -1 : 0;
};

/**
 * The tributary of one event, which `identifier` routed. The payload is read only where something counts: the traits of an
 * identify call, the amounts of an order.
 *
 * @param defaultCurrency of the event's source: for amounts that name none, or none that is one.
 */
export function ofEvent(event: EventStitched, identifier: Identifier, defaultCurrency: string): Tributary {
  const flags: Flag[] = [];
  const sign = revenueSign(event.type, event.event);
  return {
    identifier,
    kind: event.kind,
    events: 1,
    event_counts: [{ event: countedName(event.event || event.type, flags), count: 1 }],
    traits: event.type === 'identify' ? traitsOf(event, flags) : none,
    revenue: sign === 0 ? none : revenueOf(event.payload, sign, defaultCurrency, flags),
    consents: consentsOf(event.consents, flags),
    sources: [event.source],
    flags: flags.length === 0 ? none : [...new Set(flags)].sort(),
    first_seen: event.timestamp,
    last_seen: event.timestamp,
    updated_at: event.received_at,
  };
}

function countedName(name: string, flags: Flag[]): string {
  if (name.length <= limits.eventName) return name;
  flags.push('event_name_cut');
  return name.slice(0, limits.eventName).toWellFormed();
}

/** The traits of an identify call, sorted: each name from `traits`, else from `context.traits`. */
function traitsOf(event: EventStitched, flags: Flag[]): readonly Trait[] {
  const { payload } = event;
  const values = new Map<string, string>();
  const read = (at: number): void => {
    for (const [name, span] of objectMembers(payload, at)) {
      values.set(name.toWellFormed(), payload.slice(span.start, span.end));
    }
  };
  const members = objectMembers(payload);
  const context = members.get('context');
  const inContext = context && objectMembers(payload, context.start).get('traits');
  if (inContext) read(inContext.start);
  const traits = members.get('traits');
  if (traits) read(traits.start);

  const result: Trait[] = [];
  for (const name of [...values.keys()].sort()) {
    const value = values.get(name) as string;
    if (name.length > limits.traitName || isLonger(value, limits.traitValueBytes)) flags.push('trait_cut');
    else if (result.length === limits.traits) flags.push('traits_cut');
    else {
      const { timestamp, message_id, source } = event;
      result.push({ name, value, timestamp, message_id, source, sensitivity: 'none' });
    }
  }
  return result;
}

const isLonger = (text: string, bytes: number): boolean => text.length * 3 > bytes && Buffer.byteLength(text) > bytes;

/** Of revenue, total and value the first that is an amount. */
function revenueOf(payload: string, sign: 1 | -1, defaultCurrency: string, flags: Flag[]): readonly TributaryAmount[] {
  const properties = objectMembers(payload).get('properties');
  if (!properties) return none;
  const members = objectMembers(payload, properties.start);
  const textOf = (name: string): string | undefined => {
    const span = members.get(name);
    const text = span && payload.slice(span.start, span.end);
    return text === 'null' ? undefined : text;
  };
  for (const name of ['revenue', 'total', 'value']) {
    const text = textOf(name);
    if (text === undefined) continue;
    const micros = parseMicros(text);
    if (micros === undefined) {
      flags.push('revenue_unreadable');
      continue;
    }
    const currency = currencyOf(textOf('currency'), defaultCurrency, flags);
    return [{ currency, micros: (sign === 1 ? micros : -micros).toString() }];
  }
  return none;
}

function currencyOf(json: string | undefined, defaultCurrency: string, flags: Flag[]): string {
  if (json === undefined) return defaultCurrency;
  const code = /^" *([A-Za-z]{3}) *"$/.exec(json)?.[1];
  if (code) return code.toUpperCase();
  flags.push('currency_unreadable');
  return defaultCurrency;
}

/** Sorted by purpose, each once. */
function consentsOf(stated: readonly Consent[], flags: Flag[]): readonly Consent[] {
  if (stated.length === 0) return none;
  const byPurpose = new Map<string, Consent>();
  for (const consent of stated) {
    if (consent.purpose.length > limits.consentText || (consent.policy_version?.length ?? 0) > limits.consentText) {
      flags.push('consents_cut');
      continue;
    }
    const other = byPurpose.get(consent.purpose);
    byPurpose.set(consent.purpose, other ? laterConsent(other, consent) : consent);
  }
  const purposes = [...byPurpose.keys()].sort();
  if (purposes.length > limits.consents) flags.push('consents_cut');
  return purposes.slice(0, limits.consents).map((purpose) => byPurpose.get(purpose) as Consent);
}
