import type { EventStitched, Touch } from '#schemas/generated/records.ts';
import { memberSpan, objectMembers } from '#shared/json/members.ts';
import { limits } from './limits.ts';

/** What the event says of what brought the customer here: a campaign in its context, be it the sender's or found by the collector. */
export function touchOf({ payload, timestamp, message_id, source }: EventStitched): Touch | null {
  // Every event comes by here; few have one.
  if (!payload.includes('"campaign"')) return null;
  const context = memberSpan(payload, 'context');
  if (!context) return null;
  const members = objectMembers(payload, context.start);
  const said = members.get('campaign');
  if (!said) return null;
  const campaign = objectMembers(payload, said.start);
  const page = members.get('page');
  const referrer = page && memberSpan(payload, 'referrer', page.start);
  const part = (name: string): string | null => textAt(payload, campaign.get(name));
  const touch: Touch = {
    timestamp,
    message_id,
    source,
    referrer: textAt(payload, referrer),
    utm_source: part('source'),
    utm_medium: part('medium'),
    utm_campaign: part('name'),
    utm_term: part('term'),
    utm_content: part('content'),
    utm_id: part('id'),
  };
  return parts.some((name) => touch[name] !== null) ? touch : null;
}

const parts = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content', 'utm_id'] as const;

/** A text that says something; whole characters of it. */
function textAt(text: string, span: { readonly start: number; readonly end: number } | undefined): string | null {
  if (!span || text[span.start] !== '"') return null;
  const value = JSON.parse(text.slice(span.start, span.end)) as string;
  return value === '' ? null : value.slice(0, limits.touchText).toWellFormed();
}

export const earlierTouch = (a: Touch | null, b: Touch | null): Touch | null =>
  a === null || b === null ? (a ?? b) : compare(a, b) <= 0 ? a : b;
export const laterTouch = (a: Touch | null, b: Touch | null): Touch | null =>
  a === null || b === null ? (a ?? b) : compare(a, b) >= 0 ? a : b;

/** By time, message id, source; what else is equal by what it says. */
function compare(a: Touch, b: Touch): number {
  if (a === b) return 0;
  if (a.timestamp !== b.timestamp) return a.timestamp - b.timestamp;
  for (const name of ['message_id', 'source', 'referrer', ...parts] as const) {
    const [x, y] = [a[name] ?? '', b[name] ?? ''];
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
