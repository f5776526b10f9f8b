import { arrayElements, objectMembers } from '#shared/json/members.ts';
import { type Decision, decide, type Envelope } from './event.ts';
import type { BatchLevel } from './payload.ts';
import type { Route } from './route.ts';

/** A request that is refused as a whole. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 405 | 413 | 415 | 503;
  readonly code: string;
  readonly message: string;
}

export const MOST_EVENTS = 5_000;

/** What a body says, before anything of it is believed. */
export interface ParsedBody {
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

/** Reads a body's bytes as a JSON object, or says why that cannot be done. */
export function parseBody(bytes: Buffer): ParsedBody | Refusal {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { status: 400, code: 'invalid_utf8', message: 'The body is not valid UTF-8' };
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { status: 400, code: 'invalid_json', message: 'The body is not valid JSON' };
  }
  if (json === null || typeof json !== 'object' || Array.isArray(json))
    return { status: 400, code: 'invalid_json', message: 'The body is not a JSON object' };
  return { text, json: json as Record<string, unknown> };
}

/** What becomes of each event of a request, in order. */
export function decideAll(
  route: Extract<Route, { to: 'event' | 'batch' }>,
  body: ParsedBody,
  envelope: Omit<Envelope, 'batchLevel' | 'batchContext'>,
): Decision[] | Refusal {
  if (route.to === 'event') {
    return [decide(body.text, body.json, route.type, { ...envelope, batchLevel: nothing, batchContext: undefined })];
  }
  const { batch, context } = body.json;
  if (!Array.isArray(batch))
    return { status: 400, code: 'invalid_batch', message: 'The body has no array named batch' };
  if (batch.length > MOST_EVENTS)
    return { status: 413, code: 'too_many_events', message: `A batch may have ${MOST_EVENTS} events` };
  const members = objectMembers(body.text);
  const batchLevel = new Map<'context' | 'integrations', string>();
  for (const name of ['context', 'integrations'] as const) {
    const span = members.get(name);
    const text = span && body.text.slice(span.start, span.end);
    if (text?.startsWith('{')) batchLevel.set(name, text);
  }
  const spans = arrayElements(body.text, members.get('batch')?.start ?? 0);
  const inBatch: Envelope = { ...envelope, batchLevel, batchContext: context };
  return spans.map(({ start, end }, i) => decide(body.text.slice(start, end), batch[i], undefined, inBatch));
}

const nothing: BatchLevel = new Map();
