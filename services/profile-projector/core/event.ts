import type { Consent, Identifier, Trait, Tributary } from '#schemas/generated/records.ts';
import { memberSpan, objectMembers, type Span } from '#shared/json/members.ts';
import { groupsOf } from './groups.ts';
import { interactionsOf } from './interactions.ts';
import { type Flag, limits } from './limits.ts';
import { orderOf } from './order.ts';
import type { ReadEvent } from './read-event.ts';
import { sessionOf } from './sessions.ts';
import { cut, none } from './sorted.ts';
import { touchOf } from './touch.ts';
import { eachPart } from './trait-paths.ts';
import { laterConsent } from './tributary.ts';

/**
 * The tributary of one event, which `identifier` routed. The payload is read only where something counts: the traits of an
 * identify call, or of a group call for the group, a campaign, the amounts of an order.
 *
 * @param defaultCurrency of the event's source: for amounts that name none, or none that is one.
 */
export function ofEvent(event: ReadEvent, identifier: Identifier, defaultCurrency: string): Tributary {
  const flags: Flag[] = [];
  const { type, kind } = event;
  const isPerson = kind === 'person';
  const { revenue, products, orders } = orderOf(event, defaultCurrency, flags);
  const touch = touchOf(event);
  return {
    identifier,
    kind,
    events: 1,
    event_counts: [{ event: countedName(event.event || type, flags), count: 1 }],
    traits: type === (isPerson ? 'identify' : 'group') ? traitsOf(event, flags) : none,
    revenue,
    orders,
    products,
    first_touch: touch,
    last_touch: touch,
    sessions: sessionOf(event),
    groups: type === 'group' && isPerson ? groupsOf(event, flags) : none,
    interactions: type === 'track' && event.event === 'Interaction' ? interactionsOf(event, flags) : none,
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

/** The traits of a call, sorted by path: each name from `traits`, else from `context.traits`, unless that is another's. */
function traitsOf(event: ReadEvent, flags: Flag[]): readonly Trait[] {
  const { payload, timestamp, message_id, source } = event;
  const members = objectMembers(payload);
  const context = event.kind === 'person' ? members.get('context') : undefined;
  const inContext = context && memberSpan(payload, 'traits', context.start);
  const own = members.get('traits');
  const spans = own ? objectMembers(payload, own.start) : new Map<string, Span>();
  if (inContext)
    for (const [name, span] of objectMembers(payload, inContext.start)) if (!spans.has(name)) spans.set(name, span);

  const values = new Map<string, string>();
  const see = (path: string, value: string, hasJoint: boolean): void => {
    if (hasJoint || path.length > limits.traitName || isLonger(value, limits.traitValueBytes)) flags.push('trait_cut');
    else values.set(path, value);
  };
  for (const [name, { start, end }] of spans) eachPart(payload, name, start, end, see);

  const paths = [...values.keys()].sort();
  if (paths.length > limits.traits) flags.push('traits_cut');
  return cut(paths, limits.traits).map((name) => {
    const value = values.get(name) as string;
    return { name, value, timestamp, message_id, source, sensitivity: 'none' };
  });
}

const isLonger = (text: string, bytes: number): boolean => text.length * 3 > bytes && Buffer.byteLength(text) > bytes;

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
