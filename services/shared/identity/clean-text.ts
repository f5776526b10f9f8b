const MOST_CHARACTERS = 256;
/** Before it is made canonical, so that nobody makes us fold a megabyte. */
const MOST_CHARACTERS_AS_SENT = 1_024;

/** Printable ASCII without spaces: canonical already. */
const plain = /^[\x21-\x7e]+$/;
/** Control characters, and characters that nobody sees and that so hide differences. */
const invisible = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * A value as a text with one form: NFKC, without invisible characters, trimmed. A whole number is its digits.
 * Undefined where it is no text, empty, not well-formed or too long.
 */
export function cleanText(value: unknown): string | undefined {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== 'string' || text.length > MOST_CHARACTERS_AS_SENT) return undefined;
  const clean = plain.test(text) ? text : canonical(text);
  return clean === undefined || clean === '' || clean.length > MOST_CHARACTERS ? undefined : clean;
}

const canonical = (text: string): string | undefined =>
  text.isWellFormed() ? text.replace(invisible, '').normalize('NFKC').trim() : undefined;

/** A clean text in lower case. What was no single character in upper case may be one now, so its form is made anew. */
export const lowerCase = (clean: string): string =>
  plain.test(clean) ? clean.toLowerCase() : clean.toLowerCase().normalize('NFKC');
