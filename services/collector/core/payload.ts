import { objectMembers } from '#shared/json/members.ts';

/** What a batch may say once for all of its events: JSON texts of objects. */
export type BatchLevel = ReadonlyMap<'context' | 'integrations', string>;

/**
 * An event's JSON text with the batch's objects under its own: a member of the event's `context` wins over one of the batch's.
 * All as text, so that numbers stay as they were written.
 * @param text a valid JSON object without white space around it
 */
export function withBatchLevel(text: string, batchLevel: BatchLevel): string {
  if (batchLevel.size === 0) return text;
  let result = text;
  for (const [name, under] of batchLevel) {
    const span = objectMembers(result).get(name);
    if (!span) {
      result = withMember(result, name, under);
      continue;
    }
    const own = result.slice(span.start, span.end);
    const merged = own.startsWith('{') ? withUnder(own, under) : under;
    result = result.slice(0, span.start) + merged + result.slice(span.end);
  }
  return result;
}

function withUnder(own: string, under: string): string {
  const owned = objectMembers(own);
  let result = own;
  for (const [name, { start, end }] of objectMembers(under)) {
    if (!owned.has(name)) result = withMember(result, name, under.slice(start, end));
  }
  return result;
}

/** An object's text with one member more, at its end. */
function withMember(text: string, name: string, value: string): string {
  const open = text.slice(0, -1).trimEnd();
  return `${open}${open.endsWith('{') ? '' : ','}${JSON.stringify(name)}:${value}}`;
}
