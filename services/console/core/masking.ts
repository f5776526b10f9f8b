import { parseReference } from './reference.ts';

/** The value of an identifier as somebody may look over a shoulder at it: its ends, or the domain of an address. */
export function maskedValue(type: string, value: string): string {
  const at = type === 'email' ? value.lastIndexOf('@') : -1;
  if (at > 0) return `${value.slice(0, 1)}…${value.slice(at)}`;
  const characters = [...value];
  return characters.length < 4 ? '…' : `${characters[0]}…${characters.at(-1)}`;
}

/** `type:value` with its value masked. */
export function masked(name: string): string {
  const reference = parseReference(name);
  return reference?.by === 'identifier' ? `${reference.type}:${maskedValue(reference.type, reference.value)}` : name;
}

/** Fields of answers that name identifiers as `type:value`. */
const NAMES = new Set(['identifier', 'identifiers', 'from', 'to', 'other']);

/** An answer with every identifier in it masked. */
export function maskedAnswer(answer: unknown, field = ''): unknown {
  if (typeof answer === 'string') return NAMES.has(field) ? masked(answer) : answer;
  if (Array.isArray(answer)) return answer.map((one) => maskedAnswer(one, field));
  if (typeof answer !== 'object' || answer === null) return answer;
  return Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, maskedAnswer(value, name)]));
}
