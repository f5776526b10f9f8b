/** Only where one of these is in a text can there be what makes it unreadable: a number beyond all doubles, half a pair of surrogates. */
const suspicious = /[eE]\+?[0-9]{3}|[0-9]{309}|\\u[dD][89a-fA-F]/;

/**
 * What a JSON text says, as everybody who evaluates reads it. Numbers are doubles, however
 * long they are written. Of members of the same name the last counts here, and the first in ClickHouse. What ClickHouse cannot read at all says nothing: a text in which a number is beyond all doubles, or half a
 * surrogate pair is escaped.
 * @param text valid JSON
 */
export function readJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return suspicious.test(text) && !isReadable(value) ? undefined : value;
}

function isReadable(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, inner]) => name.isWellFormed() && isReadable(inner));
}
