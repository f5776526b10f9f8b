import { deeperThan, MOST_DEPTH } from './depth.ts';
import type { Refusal } from './refusal.ts';
import { textOf } from './request.ts';

const FORM = 'application/x-www-form-urlencoded';
/** Numbers that JavaScript may not hold exactly. */
const largeNumber = /\d{16}|\d[eE]/;

/**
 * What a webhook says: JSON, or a form as an object of texts. A number beyond what JavaScript holds exactly is the text that it was
 * written as.
 */
export function parseWebhook(bytes: Buffer, contentType: string | undefined): { readonly body: unknown } | Refusal {
  const text = textOf(bytes);
  if (typeof text !== 'string') return text;
  if (contentType?.trimStart().toLowerCase().startsWith(FORM) && !/^\s*[{[]/.test(text)) return { body: formOf(text) };
  try {
    const body: unknown = JSON.parse(text);
    if (deeperThan(text, MOST_DEPTH))
      return { status: 400, code: 'too_deep', message: `The body is nested more than ${MOST_DEPTH} levels deep` };
    return { body: largeNumber.test(text) ? JSON.parse(text, exactly) : body };
  } catch {
    return { status: 400, code: 'invalid_json', message: 'The body is neither JSON nor a form' };
  }
}

const exactly = (_: string, value: unknown, { source }: { readonly source?: string } = {}): unknown =>
  typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER ? source : value;

/** Of a name that comes several times, all values. */
function formOf(text: string): unknown {
  const fields = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(text)) {
    const before = fields.get(name);
    if (Array.isArray(before)) before.push(value);
    else fields.set(name, before === undefined ? value : [before, value]);
  }
  return Object.fromEntries(fields);
}
