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

type Rules = Pick<DefinitionBodies['identity_rules'], 'types' | 'blockedValues'>;

const MOST_IDENTIFIERS = 10;
const MOST_CHARACTERS = 256;
/** Before it is made canonical, so that nobody makes us fold a megabyte. */
const MOST_CHARACTERS_AS_SENT = 1_024;

/** Values that senders write where they have none. Compared in lower case. */
const blockedValues: ReadonlySet<string> = new Set([
  'null',
  'undefined',
  'none',
  'nil',
  'nan',
  'n/a',
  'unknown',
  'anonymous',
  'guest',
  'true',
  'false',
  '-1',
  '[object object]',
]);

/** Mailboxes that several people read: `info@…` says nothing about who it is. */
const roleMailboxes: ReadonlySet<string> = new Set([
  'abuse',
  'admin',
  'administrator',
  'billing',
  'contact',
  'do-not-reply',
  'donotreply',
  'help',
  'hostmaster',
  'info',
  'mailer-daemon',
  'marketing',
  'newsletter',
  'no-reply',
  'noreply',
  'office',
  'postmaster',
  'root',
  'sales',
  'security',
  'spam',
  'support',
  'team',
  'test',
  'webmaster',
]);

/** Printable ASCII without spaces: canonical already. */
const plain = /^[\x21-\x7e]+$/;
/** Control characters, and characters that nobody sees and that so hide differences. */
const invisible = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;
const emailShape = /^[^\s@"(),:;<>[\\\]]+@[^\s@"(),:;<>[\\\].]+(?:\.[^\s@"(),:;<>[\\\].]+)+$/;
const onlyZeros = /^[0\-_.\s]+$/;
const onlyDigits = /^\d+$/;

/**
 * The one spelling of an identifier's value: NFKC, without invisible characters, trimmed; e-mail addresses in lower case.
 * Undefined where it is unusable: empty, too long, a placeholder, a role's mailbox, not an address, or of six and more
 * characters with fewer than three different ones (`xxxxxx`, `121-212`; numbers only when all digits are the same, since
 * customer 100001 exists).
 */
export function normalise(type: string, value: unknown, alsoBlocked: readonly string[] = []): string | undefined {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== 'string' || text.length > MOST_CHARACTERS_AS_SENT) return undefined;
  const clean = plain.test(text) ? text : canonical(text);
  if (clean === undefined || clean === '' || clean.length > MOST_CHARACTERS) return undefined;
  const lower = clean.toLowerCase();
  const final = type === 'email' ? lower : clean;
  if (blockedValues.has(lower) || onlyZeros.test(final)) return undefined;
  if (alsoBlocked.length > 0 && (alsoBlocked.includes(final) || alsoBlocked.includes(lower))) return undefined;
  if (final.length >= 6 && !hasDistinct(lower, onlyDigits.test(final) ? 2 : 3)) return undefined;
  if (type === 'email' && !isPersonalAddress(final)) return undefined;
  return final;
}

const canonical = (text: string): string | undefined =>
  text.isWellFormed() ? text.replace(invisible, '').normalize('NFKC').trim() : undefined;

const isPersonalAddress = (address: string): boolean =>
  emailShape.test(address) && !roleMailboxes.has(address.slice(0, address.indexOf('@')));

/** Whether a text has at least so many different characters. */
function hasDistinct(text: string, least: number): boolean {
  let seen = '';
  for (const character of text) {
    if (seen.includes(character)) continue;
    seen += character;
    if (seen.length >= least) return true;
  }
  return false;
}

const objectOf = (value: unknown): Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

/** SDKs make anonymous ids as UUIDs. */
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * The usable identifiers of an event: normalised, each once, in the order of the rules' types; the first routes the event.
 * A type that the rules do not name is none; `external_id:crm` is named by `external_id`, too.
 *
 * The e-mail address is the one in `traits` (not of a group call: those are the group's), else in `context.traits`. The previous id
 * of an alias call is an anonymous id where it is the event's own or a UUID, and a user id else.
 */
export function identifiersOf(event: IdentifyingFields, rules: Rules, hashing: Pick<Hashing, 'hash'>): Identifier[] {
  const found: { readonly rank: number; readonly identifier: Identifier }[] = [];
  const add = (type: string, given: unknown): boolean => {
    if (given === undefined || given === null || given === '') return false;
    const rank = rankOf(type, rules);
    const value = rank < 0 ? undefined : normalise(type, given, rules.blockedValues);
    if (value === undefined) return false;
    if (!found.some(({ identifier }) => identifier.type === type && identifier.value === value))
      found.push({ rank, identifier: { type, value, hash: hashing.hash(type, value) } });
    return true;
  };

  const { type, userId, anonymousId, previousId } = event;
  const context = objectOf(event.context);
  add('user_id', userId);
  if (type === 'alias') {
    const isAnonymous = previousId === anonymousId || (typeof previousId === 'string' && uuid.test(previousId.trim()));
    add(isAnonymous ? 'anonymous_id' : 'user_id', previousId);
  }
  if (type === 'group' || !add('email', objectOf(event.traits).email)) add('email', objectOf(context.traits).email);
  add('anonymous_id', anonymousId);
  add('device_id', objectOf(context.device).id);
  if (Array.isArray(context.externalIds)) {
    for (const external of context.externalIds.slice(0, MOST_IDENTIFIERS)) {
      const { id, type: kind, encoding } = objectOf(external);
      // Whoever asks writes `external_id:crm:42`: a colon in the kind would end it.
      const name = normalise('external_id', kind)?.replaceAll(':', '_');
      if (name && (encoding === undefined || encoding === null || encoding === 'none')) add(`external_id:${name}`, id);
    }
  }
  return found
    .sort((a, b) => a.rank - b.rank)
    .slice(0, MOST_IDENTIFIERS)
    .map(({ identifier }) => identifier);
}

/** Place of a type among the rules' types; -1 where they do not name it. */
function rankOf(type: string, { types }: Rules): number {
  const exact = types.findIndex((one) => one.type === type);
  if (exact >= 0 || !type.startsWith('external_id:')) return exact;
  return types.findIndex((one) => one.type === 'external_id');
}
