import { createHash } from 'node:crypto';
import type { DefinitionVersion, EventCollected, EventRejected } from '#schemas/generated/records.ts';
import type { DefinitionBodies } from '#shared/definitions/kinds.ts';
import type { Hashing } from '#shared/identity/hashing.ts';
import { identifiersOf } from '#shared/identity/identifiers.ts';
import { consentsOf } from './consents.ts';
import { deeperThan } from './depth.ts';
import { type BatchLevel, withBatchLevel } from './payload.ts';
import type { EventType } from './route.ts';
import { timesOf } from './times.ts';

/** What a request says about all of its events. */
export interface Envelope {
  readonly source: string;
  readonly settings: DefinitionBodies['source'];
  readonly rules: DefinitionBodies['identity_rules'];
  readonly definitions: readonly DefinitionVersion[];
  readonly receivedAt: number;
  /** The body's own `sentAt`, or the header's. */
  readonly sentAt: unknown;
  /** The batch's `context` and `integrations`, as JSON text and parsed. */
  readonly batchLevel: BatchLevel;
  readonly batchContext: unknown;
  readonly ip: string | null;
  readonly gpc: boolean;
  readonly generation: number;
  readonly hashing: Hashing;
  /** Makes an id for an event without one. */
  readonly newId: () => string;
}

export type Decision =
  | { readonly outcome: 'accepted'; readonly key: string; readonly value: EventCollected }
  | { readonly outcome: 'rejected'; readonly key: string; readonly value: EventRejected };

const types: ReadonlySet<unknown> = new Set<EventType>(['identify', 'track', 'page', 'screen', 'group', 'alias']);

export const MOST_EVENT_CHARACTERS = 512 * 1024;
const MOST_DEPTH = 100;
const MOST_MESSAGE_ID = 100;

const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value.toWellFormed() : typeof value === 'number' ? String(value) : null;

/**
 * What becomes of one event.
 * @param text the event's own JSON text
 * @param event the same, parsed
 * @param type of the endpoint; in a batch each event says its own
 */
export function decide(text: string, event: unknown, type: EventType | undefined, envelope: Envelope): Decision {
  if (event === null || typeof event !== 'object' || Array.isArray(event))
    return rejected(text, {}, 'invalid_event', 'the event is not an object', ['$: not an object'], envelope);
  const fields = event as Readonly<Record<string, unknown>>;
  if (text.length > MOST_EVENT_CHARACTERS) {
    return rejected(
      text,
      fields,
      'too_large',
      `the event has more than ${MOST_EVENT_CHARACTERS} characters; its beginning is kept`,
      [],
      envelope,
    );
  }
  if (deeperThan(text, MOST_DEPTH))
    return rejected(text, fields, 'too_deep', `the event is nested more than ${MOST_DEPTH} levels deep`, [], envelope);
  const violations = violationsOf(fields, type);
  if (violations.length > 0)
    return rejected(text, fields, 'invalid_event', violations.join('; '), violations, envelope);

  const ownType = (type ?? fields.type) as EventType;
  const context = fields.context ?? envelope.batchContext;
  const identifiers = identifiersOf({ ...fields, type: ownType, context }, envelope.rules, envelope.hashing);
  const routing = identifiers[0];
  if (!routing)
    return rejected(
      text,
      fields,
      'no_identifier',
      'the event has no usable identifier',
      ['$.userId, $.anonymousId: none usable'],
      envelope,
    );

  const { receivedAt, source } = envelope;
  const times = timesOf(fields.originalTimestamp ?? fields.timestamp, fields.sentAt ?? envelope.sentAt, receivedAt);
  const value: EventCollected = {
    message_id: messageIdOf(fields, envelope),
    type: ownType,
    event:
      ownType === 'track'
        ? textOf(fields.event)
        : ownType === 'page' || ownType === 'screen'
          ? textOf(fields.name)
          : null,
    source,
    user_id: textOf(fields.userId),
    anonymous_id: textOf(fields.anonymousId),
    original_timestamp: times.original,
    sent_at: times.sent,
    received_at: receivedAt,
    timestamp: times.timestamp,
    flags: times.flags,
    kind: 'person',
    identifiers,
    payload: withBatchLevel(text, envelope.batchLevel),
    ip: envelope.settings.keepIp ? envelope.ip : null,
    enrichment: '{}',
    consents: consentsOf(context, envelope.gpc, source, times.timestamp),
    currency: envelope.settings.defaultCurrency,
    definitions: envelope.definitions,
    generation: envelope.generation,
  };
  return { outcome: 'accepted', key: routing.hash, value };
}

function violationsOf(fields: Readonly<Record<string, unknown>>, type: EventType | undefined): string[] {
  const ownType = type ?? fields.type;
  if (!types.has(ownType)) return ['$.type: not one of identify, track, page, screen, group, alias'];
  if (ownType === 'track' && textOf(fields.event) === null) return ['$.event: a track call needs a name'];
  if (ownType === 'group' && textOf(fields.groupId) === null) return ['$.groupId: a group call needs one'];
  if (ownType === 'alias' && textOf(fields.previousId) === null) return ['$.previousId: an alias call needs one'];
  return [];
}

/** Kept as sent; made when blank. One that is absurdly long is replaced by its hash, which is as good for finding duplicates. */
function messageIdOf(fields: Readonly<Record<string, unknown>>, envelope: Envelope): string {
  const id = textOf(fields.messageId);
  if (id === null) return envelope.newId();
  return id.length <= MOST_MESSAGE_ID ? id : createHash('sha256').update(id).digest('hex');
}

function rejected(
  text: string,
  fields: Readonly<Record<string, unknown>>,
  reason: string,
  message: string,
  violations: readonly string[],
  envelope: Envelope,
): Decision {
  const value: EventRejected = {
    stage: 'collector',
    reason,
    message,
    source: envelope.source,
    message_id: textOf(fields.messageId)?.slice(0, MOST_MESSAGE_ID) ?? null,
    received_at: envelope.receivedAt,
    rejected_at: envelope.receivedAt,
    violations,
    payload: Buffer.from(text.slice(0, MOST_EVENT_CHARACTERS)),
    topic: null,
    partition: null,
    offset: null,
    definitions: envelope.definitions,
    generation: envelope.generation,
  };
  return { outcome: 'rejected', key: envelope.source, value };
}
