import { cleanText, lowerCase } from './clean-text.ts';
import { isPhoneNumberOf, type ReadPhoneNumber } from './phone-number.ts';

/** How the values of a type are written, so that what means the same is the same. */
export type Spelling = 'exact' | 'lowercase' | 'email' | 'phone';

/** The one spelling of a value; undefined where it identifies nobody. */
export type Spell = (value: unknown) => string | undefined;

/** Values that senders write where they have none. Compared in lower case. */
const placeholders: ReadonlySet<string> = new Set([
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

const emailShape = /^[^\s@"(),:;<>[\\\]]+@[^\s@"(),:;<>[\\\].]+(?:\.[^\s@"(),:;<>[\\\].]+)+$/;
const onlyZeros = /^[0\-_.\s]+$/;
const onlyDigits = /^\d+$/;
const MOST_CHARACTERS = 256;

/** Of a type that the rules say nothing of: an address or a number where its name says so, else as it is. */
export const spellingOf = (type: string): Spelling => (type === 'email' || type === 'phone' ? type : 'exact');

/**
 * How to spell: `exact` is the clean text, `lowercase` and `email` the same in lower case, `phone` E.164. What is unusable has no
 * spelling: a placeholder, a role's mailbox, not an address, not a valid number, what is blocked, or of six and more characters
 * fewer than three different ones (`xxxxxx`, `121-212`, `+919999999999`; other numbers only when all digits are the same, since
 * customer 100001 exists).
 * To spell again changes nothing.
 * @param blocked values that identify nobody, in any case and spelling
 */
export function spellerOf(spelling: Spelling, readPhoneNumber: ReadPhoneNumber, blocked: readonly string[]): Spell {
  const form = formOf(spelling, readPhoneNumber);
  const isBlocked = new Set<string>();
  for (const value of blocked) {
    const clean = cleanText(value);
    if (clean === undefined) continue;
    const lower = lowerCase(clean);
    isBlocked.add(lower).add(form(clean, lower) ?? lower);
  }
  return (value) => {
    const clean = cleanText(value);
    if (clean === undefined) return undefined;
    const lower = lowerCase(clean);
    if (placeholders.has(lower) || onlyZeros.test(clean)) return undefined;
    const spelled = form(clean, lower);
    if (spelled === undefined || spelled.length > MOST_CHARACTERS) return undefined;
    if (isBlocked.size > 0 && (isBlocked.has(lower) || isBlocked.has(spelled))) return undefined;
    const seen = spelling === 'phone' ? spelled.slice(1) : lower;
    return seen.length >= 6 && !hasDistinct(seen, onlyDigits.test(spelled) ? 2 : 3) ? undefined : spelled;
  };
}

/** What a spelling makes of a clean text, and of the same in lower case. */
function formOf(
  spelling: Spelling,
  readPhoneNumber: ReadPhoneNumber,
): (clean: string, lower: string) => string | undefined {
  switch (spelling) {
    case 'exact':
      return (clean) => clean;
    case 'lowercase':
      return (_, lower) => lower;
    case 'email':
      return (_, lower) => (isPersonalAddress(lower) ? lower : undefined);
    case 'phone':
      return (clean) => readPhoneNumber(clean);
  }
}

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

/** Whether an identifier's value is a spelling of what an event says, whichever rules the event met. */
export function isSpellingOf(spelled: string, value: unknown): boolean {
  const clean = cleanText(value);
  if (clean === undefined) return false;
  return (
    spelled === clean || spelled === lowerCase(clean) || (spelled.startsWith('+') && isPhoneNumberOf(spelled, clean))
  );
}
