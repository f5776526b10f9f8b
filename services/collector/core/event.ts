import { createHash } from 'node:crypto';
import type { DefinitionVersion, EventCollected, EventRejected } from '#schemas/generated/records.ts';
import { keptOfRejected } from '#shared/accounting/kept-of-rejected.ts';
import type { DefinitionBodies } from '#shared/definitions/kinds.ts';
import { exactId } from '#shared/identity/exact-id.ts';
import type { Hashing } from '#shared/identity/hashing.ts';
import { identifiersOf } from '#shared/identity/identifiers.ts';
import type { NamingRules } from '#shared/identity/plan.ts';
import { memberText, withoutMember } from '#shared/json/members.ts';
import { accountEventOf } from './account.ts';
import { consentsOf } from './consents.ts';
import { deeperThan, MOST_DEPTH } from './depth.ts';
import { type Client, enrichmentOf, type Knowledge, withFound } from './enrichment.ts';
import { objectOf } from './object-of.ts';
import { type BatchLevel, memberOf, objectText, withBatchLevel, withMembersUnder } from './payload.ts';
import { type EventType, isEventType } from './route.ts';
import { timeOf, timesOf } from './times.ts';
import { truncatedAddress } from './truncated-address.ts';

/** What a request says about all of its events. */
export interface Envelope {
  readonly source: string;
  readonly settings: Pick<DefinitionBodies['source'], 'keepIp' | 'enrich' | 'defaultCurrency'>;
  readonly rules: NamingRules;
  readonly definitions: readonly DefinitionVersion[];
  readonly receivedAt: number;
  /** The body's own `sentAt`, or the header's. */
  readonly sentAt: unknown;
  /** The batch's `context` and `integrations` as JSON text, and its context parsed. */
  readonly batchLevel: BatchLevel;
  readonly batchContext: unknown;
  /** Of a file: when it was sent says nothing about the clock that its times were taken from, and an event without its time is of no use. */
  readonly isHistory?: boolean;
  /** Address of the client, where it is known. */
  readonly ip: string | null;
  /** The program that the person uses, where it sends itself. */
  readonly client: Client | undefined;
  readonly knowledge: Knowledge;
  /** `Sec-GPC: 1`. */
  readonly gpc: boolean;
  readonly generation: number;
  readonly hashing: Pick<Hashing, 'hash'>;
  /** Makes an id for an event without one. */
  readonly newId: () => string;
}

/** Why the collector does not take an event. */
export type Reason = 'invalid_row' | 'invalid_event' | 'too_large' | 'too_deep' | 'no_identifier' | 'mapping_failed';

export type Decision =
  | {
      readonly outcome: 'accepted';
      readonly key: string;
      readonly value: EventCollected;
      /** Of a group call: what it says of the group, to be stored with it. */
      readonly account?: EventCollected;
    }
  | { readonly outcome: 'rejected'; readonly reason: Reason; readonly key: string; readonly value: EventRejected }
  /** Not kept, as the source wishes. */
  | { readonly outcome: 'dropped'; readonly reason: 'bot' };

/** Kafka's records hold a megabyte; an event passes several topics, each with something added. */
export const MOST_EVENT_BYTES = 500_000;
const MOST_MESSAGE_ID = 256;
/** Longer names and ids stay in the payload only. */
const MOST_TEXT = 1_024;
const MOST_ADDRESS = 64;

type Fields = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What becomes of one event.
 * @param sent the event's own JSON text, an object's without white space around it
 * @param event the same, parsed
 * @param endpoint the call of the endpoint; in a batch each event says its own
 */
export function decide(sent: string, event: unknown, endpoint: EventType | undefined, envelope: Envelope): Decision {
  if (!isObject(event)) return reject(unread(sent, envelope), {}, 'invalid_event', ['$: not an object'], envelope);
  const text = envelope.settings.keepIp === true ? sent : withoutMember(sent, 'context', 'ip');
  // Of a context that is none nothing can be cut out.
  const told = Array.isArray(event.context) ? unread(text, envelope) : text;
  const payload = withBatchLevel(text, envelope.batchLevel);
  if (bytesOver(payload, MOST_EVENT_BYTES))
    return reject(told, event, 'too_large', [`$: more than ${MOST_EVENT_BYTES} bytes`], envelope);
  if (deeperThan(payload, MOST_DEPTH))
    return reject(told, event, 'too_deep', [`$: more than ${MOST_DEPTH} levels`], envelope);
  const type = (endpoint ?? event.type) as EventType;
  const violations = violationsOf(event, type);
  if (envelope.isHistory) violations.push(...unreadableTimes(event));
  if (violations.length > 0) return reject(told, event, 'invalid_event', violations, envelope);

  const { receivedAt, source, settings } = envelope;
  const context = contextOf(event.context, envelope.batchContext);
  const saidAddress = addressIn(context);
  const address = saidAddress ?? envelope.ip;
  const keptIp = keptAddress(address, settings);
  const { found, bot } = enrichmentOf(context, envelope.client, address, settings, envelope.knowledge);
  if (bot && settings.enrich.bots === 'drop') return { outcome: 'dropped', reason: 'bot' };
  const userId = exactId(text, 'userId', event.userId);
  const anonymousId = exactId(text, 'anonymousId', event.anonymousId);
  const identifiers = identifiersOf(
    {
      type,
      userId,
      anonymousId,
      previousId: exactId(text, 'previousId', event.previousId),
      groupId: event.groupId,
      traits: event.traits,
      properties: event.properties,
      context,
    },
    envelope.rules,
    envelope.hashing,
    (place) => wholeNumber(memberText(payload, ...place)),
  );
  const routing = identifiers[0];
  if (!routing) return reject(text, event, 'no_identifier', ['$: no usable identifier'], envelope);

  const original = present(event.originalTimestamp);
  const times = timesOf(
    original ?? event.timestamp,
    envelope.isHistory ? undefined : (present(event.sentAt) ?? envelope.sentAt),
    receivedAt,
    // RudderStack's Node SDK writes when it was called into the one, and what it was told into the other.
    original === undefined ? undefined : event.timestamp,
  );
  const value: EventCollected = {
    message_id: messageIdOf(event) ?? envelope.newId(),
    type,
    event: nameOf(event, type),
    source,
    user_id: textOf(userId),
    anonymous_id: textOf(anonymousId),
    original_timestamp: times.original,
    sent_at: times.sent,
    received_at: receivedAt,
    timestamp: times.timestamp,
    flags: bot ? [...times.flags, 'bot'] : times.flags,
    kind: 'person',
    identifiers,
    payload: withFound(saidAddress === null ? payload : withCutAddress(payload, keptIp, settings), context, found),
    ip: keptIp,
    enrichment: objectText([...found.values()]),
    // Nobody consents in the future: what a fast clock has granted must not outlast a withdrawal that comes after it.
    consents: consentsOf(context, envelope.gpc && settings.enrich.gpc, source, Math.min(times.timestamp, receivedAt)),
    currency: settings.defaultCurrency,
    definitions: envelope.definitions,
    generation: envelope.generation,
  };
  const account = accountEventOf(value, event.groupId, envelope.rules, envelope.hashing);
  return { outcome: 'accepted', key: routing.hash, value, ...(account && { account }) };
}

/** What a webhook says that its mapping can make no event of. @param text its JSON text */
export const unmapped = (text: string, fault: string, envelope: Envelope): Decision =>
  reject(unread(text, envelope), {}, 'mapping_failed', [fault], envelope);

/** What is kept of a text in which nobody knows the place of an address: there may be one where the source does not keep it. */
export const unread = <T extends string | Buffer>(sent: T, { settings }: Pick<Envelope, 'settings'>): T | '' =>
  settings.keepIp === true ? sent : '';

/** The names of the fields that are wrong, and how; never what they hold. */
function violationsOf(event: Fields, type: EventType): string[] {
  if (!isEventType(type)) return ['$.type: not one of identify, track, page, screen, group, alias'];
  const violations: string[] = [];
  for (const field of ['properties', 'traits', 'context', 'integrations']) {
    const value = event[field];
    // PHP writes an empty object as an empty array.
    if (present(value) !== undefined && !isObject(value) && !(Array.isArray(value) && value.length === 0))
      violations.push(`$.${field}: not an object`);
  }
  const needed =
    type === 'track' ? 'event' : type === 'group' ? 'groupId' : type === 'alias' ? 'previousId' : undefined;
  if (needed && textOf(event[needed]) === null) violations.push(`$.${needed}: needed for ${type}`);
  if (type === 'alias' && textOf(event.userId) === null) violations.push('$.userId: needed for alias');
  return violations;
}

/** What happened years ago must not count as of today. */
const unreadableTimes = (event: Fields): string[] =>
  ['timestamp', 'originalTimestamp']
    .filter((field) => present(event[field]) !== undefined && timeOf(event[field]) === undefined)
    .map((field) => `$.${field}: not a time`);

/** Empty texts and nulls are absent. */
export const present = (value: unknown): unknown => (value === null || value === '' ? undefined : value);

const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== ''
    ? value.slice(0, MOST_TEXT).toWellFormed()
    : typeof value === 'number'
      ? String(value)
      : null;

/** A number's text, if it is digits only. */
const wholeNumber = (text: string | undefined): string | undefined =>
  text !== undefined && /^\d+$/.test(text) ? text : undefined;

function nameOf(event: Fields, type: EventType): string | null {
  if (type === 'track') return textOf(event.event);
  return type === 'page' || type === 'screen' ? textOf(event.name) : null;
}

function contextOf(own: unknown, under: unknown): unknown {
  if (!isObject(under)) return own;
  return isObject(own) ? { ...under, ...own } : under;
}

/** What the sender says, since a server sends for its clients. */
function addressIn(context: unknown): string | null {
  const { ip } = objectOf(context);
  return typeof ip === 'string' && ip !== '' && ip.length <= MOST_ADDRESS ? ip.toWellFormed() : null;
}

function keptAddress(address: string | null, { keepIp }: Envelope['settings']): string | null {
  if (address === null || keepIp === false) return null;
  return keepIp === 'truncated' ? truncatedAddress(address) : address;
}

/** The address was cut out of the context where it is not kept whole. */
const withCutAddress = (payload: string, kept: string | null, { keepIp }: Envelope['settings']): string =>
  keepIp === 'truncated' && kept !== null
    ? withMembersUnder(payload, 'context', [memberOf('ip', JSON.stringify(kept))])
    : payload;

/** Kept as sent. One that is absurdly long is replaced by its hash, which is as good for finding duplicates. */
function messageIdOf({ messageId }: Fields): string | undefined {
  if (typeof messageId === 'number') return String(messageId);
  if (typeof messageId !== 'string' || messageId.trim() === '') return undefined;
  if (messageId.length <= MOST_MESSAGE_ID) return messageId.toWellFormed();
  return createHash('sha256').update(messageId).digest('hex');
}

const bytesOver = (text: string, most: number): boolean =>
  text.length > most || (text.length * 3 > most && Buffer.byteLength(text) > most);

const messages: Readonly<Record<Reason, string>> = {
  invalid_row: 'The row cannot be read',
  invalid_event: 'The event breaks the rules of its call',
  too_large: `The event has more than ${MOST_EVENT_BYTES} bytes`,
  too_deep: `The event is nested more than ${MOST_DEPTH} levels deep`,
  no_identifier: 'The event has no usable identifier, so it cannot belong to a profile',
  mapping_failed: 'The mapping of the source cannot make an event of it',
};

/** @param sent as it came */
export function reject(
  sent: string | Buffer,
  event: Fields,
  reason: Reason,
  violations: readonly string[],
  envelope: Envelope,
): Decision {
  const value: EventRejected = {
    stage: 'collector',
    reason,
    ...keptOfRejected(typeof sent === 'string' ? Buffer.from(sent) : sent, messages[reason]),
    source: envelope.source,
    message_id: messageIdOf(event) ?? null,
    received_at: envelope.receivedAt,
    rejected_at: envelope.receivedAt,
    violations,
    topic: null,
    partition: null,
    offset: null,
    definitions: envelope.definitions,
    generation: envelope.generation,
  };
  return { outcome: 'rejected', reason, key: envelope.source, value };
}
