import type { Identifier } from '#schemas/generated/records.ts';
import type { DefinitionBodies } from '#shared/definitions/kinds.ts';
import type { Hashing } from './hashing.ts';

/** What an event can say about who it concerns; fields may hold anything that JSON can. */
export interface IdentifyingFields {
  readonly type?: unknown;
  readonly userId?: unknown;
  readonly anonymousId?: unknown;
  readonly previousId?: unknown;
  readonly traits?: unknown;
  readonly context?: unknown;
}

type Rules = DefinitionBodies['identity_rules'];

const MOST_IDENTIFIERS = 10;
const MOST_CHARACTERS = 256;

/** Values that senders write where they have none. Compared in lower case. */
const blockedValues = new Set(
  'null undefined none nil nan n/a na unknown anonymous guest user customer test -1 true false [object object] 00000000-0000-0000-0000-000000000000'.split(
    ' ',
  ),
);
/** Mailboxes that several people read: `info@…` says nothing about who it is. */
const roleMailboxes = new Set(
  'abuse admin contact donotreply hello help info mail marketing newsletter no-reply noreply office postmaster root sales service shop spam support team webmaster'.split(
    ' ',
  ),
);

// Control characters, and characters that have no width and so hide differences.
const invisible = /[\p{Cc}\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]/gu;
const emailShape = /^[^\s@"(),:;<>[\\\]]+@[^\s@.]+(\.[^\s@.]+)+$/;
const plain = /^[\x21-\x7e]+$/;

/**
 * The one spelling of an identifier's value; undefined where it is unusable: empty, too long, a placeholder, not an address.
 * NFKC, without invisible characters, trimmed; e-mail addresses in lower case.
 */
export function normalise(type: string, value: unknown, alsoBlocked: readonly string[] = []): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = typeof value === 'number' ? String(value) : value;
  const clean = plain.test(text) ? text : text.toWellFormed().normalize('NFKC').replace(invisible, '').trim();
  const final = type === 'email' ? clean.toLowerCase() : clean;
  if (final === '' || final.length > MOST_CHARACTERS) return undefined;
  const lower = final.toLowerCase();
  if (blockedValues.has(lower) || alsoBlocked.includes(final) || alsoBlocked.includes(lower)) return undefined;
  if (/^[0\-_.\s]+$/.test(final)) return undefined;
  // "xxxxxxxx", "1212121212": nobody's. Short ones such as "u1" or "77" are ordinary.
  if (final.length >= 6 && new Set(lower).size < 3) return undefined;
  if (type === 'email' && (!emailShape.test(final) || roleMailboxes.has(final.slice(0, final.indexOf('@')))))
    return undefined;
  return final;
}

const objectOf = (value: unknown): Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

/** In an alias call, an anonymous id is told from a former user id by its shape: SDKs make anonymous ids as UUIDs. */
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What the event names, as (type, value) pairs, before anything is checked. */
function* named(event: IdentifyingFields): Generator<readonly [type: string, value: unknown]> {
  yield ['user_id', event.userId];
  yield ['anonymous_id', event.anonymousId];
  if (event.type === 'alias') {
    const isAnonymous =
      event.previousId === event.anonymousId || (typeof event.previousId === 'string' && uuid.test(event.previousId));
    yield [isAnonymous ? 'anonymous_id' : 'user_id', event.previousId];
  }
  const context = objectOf(event.context);
  // A group call's traits are the group's, not the person's.
  if (event.type !== 'group') yield ['email', objectOf(event.traits).email];
  yield ['email', objectOf(context.traits).email];
  yield ['device_id', objectOf(context.device).id];
  if (Array.isArray(context.externalIds)) {
    for (const external of context.externalIds.slice(0, MOST_IDENTIFIERS)) {
      const { id, type, encoding } = objectOf(external);
      if (typeof type === 'string' && (encoding === undefined || encoding === 'none'))
        yield [`external_id:${type.slice(0, 64)}`, id];
    }
  }
}

/** The usable identifiers of an event: normalised, each once, in the order of the rules' types; the first routes the event. */
export function identifiersOf(event: IdentifyingFields, rules: Rules, hashing: Hashing): Identifier[] {
  const found: (Identifier & { readonly rank: number })[] = [];
  for (const [type, given] of named(event)) {
    if (given === undefined || given === null || given === '') continue;
    const rank = rankOf(type, rules);
    const value = rank < 0 ? undefined : normalise(type, given, rules.blockedValues);
    if (value === undefined || found.some((one) => one.type === type && one.value === value)) continue;
    found.push({ type, value, hash: hashing.hash(type, value), rank });
  }
  return found
    .sort((a, b) => a.rank - b.rank)
    .slice(0, MOST_IDENTIFIERS)
    .map(({ type, value, hash }) => ({ type, value, hash }));
}

/** Place of a type among the rules' types; -1 where the rules do not know it. `external_id:crm` is found as `external_id`, too. */
function rankOf(type: string, rules: Rules): number {
  const exact = rules.types.findIndex((one) => one.type === type);
  if (exact >= 0 || !type.startsWith('external_id:')) return exact;
  return rules.types.findIndex((one) => one.type === 'external_id');
}
