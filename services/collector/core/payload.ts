import { objectMembers } from '#shared/json/members.ts';

/** The objects that a batch may give for all its events. */
export const BATCH_LEVEL = ['context', 'integrations'] as const;

/**
 * An event's JSON text with the batch's own `context` and `integrations` under it: the event's members win. All as text, so that
 * numbers stay as they were written.
 */
export function withBatchLevel(text: string, batchLevel: ReadonlyMap<string, string>): string {
  if (batchLevel.size === 0) return text;
  const members = objectMembers(text);
  const parts: string[] = [];
  for (const [name, { start, end }] of members) {
    const under = batchLevel.get(name);
    const own = text.slice(start, end);
    parts.push(`${JSON.stringify(name)}:${under === undefined || !own.startsWith('{') ? own : merged(under, own)}`);
  }
  for (const [name, under] of batchLevel) if (!members.has(name)) parts.push(`${JSON.stringify(name)}:${under}`);
  return `{${parts.join(',')}}`;
}

function merged(under: string, over: string): string {
  const parts = new Map<string, string>();
  for (const text of [under, over])
    for (const [name, { start, end }] of objectMembers(text)) parts.set(name, text.slice(start, end));
  return `{${[...parts].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}
