import type { Touch } from '#schemas/generated/records.ts';
import { memberSpan } from '#shared/json/members.ts';
import { limits } from './limits.ts';
import type { ReadEvent } from './read-event.ts';

/** What the event says of what brought the customer here: a campaign in its context, be it the sender's or found by the collector. */
export function touchOf({ payload, timestamp, message_id, source }: ReadEvent): Touch | null {
  // Every event comes by here, and few have one: sought from its rarest letters on.
  if (!payload.includes('campaign":')) return null;
  const context = memberSpan(payload, 'context');
  const said = context && memberSpan(payload, 'campaign', context.start);
  if (!said || payload[said.start] !== '{') return null;
  const campaign = JSON.parse(payload.slice(said.start, said.end)) as Readonly<Record<string, unknown>>;
  const { source: utm_source, medium, name, term, content, id } = campaign;
  const touch: Touch = {
    timestamp,
    message_id,
    source,
    referrer: null,
    utm_source: textOf(utm_source),
    utm_medium: textOf(medium),
    utm_campaign: textOf(name),
    utm_term: textOf(term),
    utm_content: textOf(content),
    utm_id: textOf(id),
  };
  if (parts.every((name) => touch[name] === null)) return null;
  const page = memberSpan(payload, 'page', context.start);
  const referrer = page && memberSpan(payload, 'referrer', page.start);
  return referrer ? { ...touch, referrer: textOf(JSON.parse(payload.slice(referrer.start, referrer.end))) } : touch;
}

const parts = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content', 'utm_id'] as const;

/** A text that says something; whole characters of it. */
const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value.slice(0, limits.touchText).toWellFormed() : null;

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
