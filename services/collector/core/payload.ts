import { memberSpan, objectMembers, type Span, withoutMember } from '#shared/json/members.ts';

/** An object that a batch says once for all of its events. */
export interface Under {
  readonly name: 'context' | 'integrations';
  /** Its JSON text. */
  readonly text: string;
  /** Its members as text, `"name":value`, by name. */
  readonly members: ReadonlyMap<string, string>;
}
export type BatchLevel = readonly Under[];

/** The `context` and `integrations` of a batch, found once for all of its events. */
export function batchLevelOf(text: string, members: ReadonlyMap<string, Span>, keepIp: boolean): BatchLevel {
  return (['context', 'integrations'] as const).flatMap((name) => {
    const span = members.get(name);
    const under = span && text.slice(span.start, span.end);
    if (!under?.startsWith('{')) return [];
    return [underOf(name, keepIp || name !== 'context' ? under : withoutMember(under, 'ip'))];
  });
}

/** @param text a valid JSON object */
export const underOf = (name: Under['name'], text: string): Under => ({
  name,
  text,
  members: new Map(
    [...objectMembers(text)].map(([member, { start, end }]) => [member, memberOf(member, text.slice(start, end))]),
  ),
});

/**
 * An event's JSON text with the batch's objects under its own: a member of the event's `context` wins over one of the batch's.
 * All as text, so that numbers stay as they were written.
 * @param text a valid JSON object without white space around it
 */
export function withBatchLevel(text: string, batchLevel: BatchLevel): string {
  if (batchLevel.length === 0) return text;
  const members = objectMembers(text);
  const added: string[] = [];
  const merged: (Span & { readonly text: string })[] = [];
  for (const under of batchLevel) {
    const span = members.get(under.name);
    if (!span) added.push(memberOf(under.name, under.text));
    else merged.push({ ...span, text: over(text.slice(span.start, span.end), under) });
  }
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, text: replacement } of merged.sort((a, b) => a.start - b.start)) {
    parts.push(text.slice(at, start), replacement);
    at = end;
  }
  parts.push(text.slice(at));
  return withMembers(parts.join(''), added);
}

/** An event's JSON text with members, given as texts (`memberOf`), in one of its objects, which has none of these. */
export function withMembersUnder(text: string, name: Under['name'], members: readonly string[]): string {
  if (members.length === 0) return text;
  const span = memberSpan(text, name);
  if (!span) return withMembers(text, [memberOf(name, objectText(members))]);
  const own = text.slice(span.start, span.end);
  const merged = own.startsWith('{') ? withMembers(own, members) : objectText(members);
  return text.slice(0, span.start) + merged + text.slice(span.end);
}

export const objectText = (members: readonly string[]): string => `{${members.join(',')}}`;

/** What the event says itself, with what it leaves to the batch. */
function over(own: string, under: Under): string {
  if (!own.startsWith('{')) return under.text;
  const owned = objectMembers(own);
  const others: string[] = [];
  for (const [name, member] of under.members) if (!owned.has(name)) others.push(member);
  return withMembers(own, others);
}

/** An object's text with a member at its end, in the place of any others of that name. */
export const withMember = (text: string, name: string, value: string): string =>
  withMembers(withoutMember(text, name), [memberOf(name, value)]);

/** @param value JSON text */
export const memberOf = (name: string, value: string): string => `${JSON.stringify(name)}:${value}`;

/** An object's text with more members at its end. */
function withMembers(text: string, members: readonly string[]): string {
  if (members.length === 0) return text;
  const open = text.slice(0, -1).trimEnd();
  return `${open}${open.endsWith('{') ? '' : ','}${members.join(',')}}`;
}
