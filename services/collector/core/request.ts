import { isUtf8 } from 'node:buffer';
import { arrayElements, objectMembers, withoutMember } from '#shared/json/members.ts';
import { type Decision, decide, type Envelope, MOST_EVENT_BYTES } from './event.ts';
import { batchLevelOf } from './payload.ts';
import type { Refusal } from './refusal.ts';
import type { Route } from './route.ts';

/** SDKs send 2,500 at most. */
export const MOST_EVENTS = 10_000;

/** What a body says, before anything of it is believed. */
export interface ParsedBody {
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

/** A body's bytes as text, or why they are none. */
export function textOf(bytes: Buffer): string | Refusal {
  if (!isUtf8(bytes)) return { status: 400, code: 'invalid_utf8', message: 'The body is not valid UTF-8' };
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** Reads a body's bytes as a JSON object, or says why that cannot be done. */
export function parseBody(bytes: Buffer): ParsedBody | Refusal {
  const text = textOf(bytes);
  if (typeof text !== 'string') return text;
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

/**
 * What becomes of each event of a request, in order; or why none is taken.
 * @param mostBytes what the events of a batch may come to once each has the batch's context
 */
export function decideAll(
  route: Extract<Route, { to: 'event' | 'batch' }>,
  body: ParsedBody,
  mostBytes: number,
  envelope: Omit<Envelope, 'batchLevel' | 'batchContext'>,
): Decision[] | Refusal {
  if (route.to === 'event') {
    if (body.text.length > MOST_EVENT_BYTES)
      return { status: 413, code: 'too_large', message: `An event may have ${MOST_EVENT_BYTES} bytes` };
    const text = body.text.trim();
    // SDKs of browsers write it there, and nobody who reads events may send with it.
    const sent = body.json.writeKey === undefined ? text : withoutMember(text, 'writeKey');
    return [decide(sent, body.json, route.type, { ...envelope, batchLevel: [], batchContext: undefined })];
  }
  const { batch, context } = body.json;
  if (!Array.isArray(batch))
    return { status: 400, code: 'invalid_batch', message: 'The body has no array named batch' };
  if (batch.length > MOST_EVENTS)
    return { status: 413, code: 'too_many_events', message: `A batch may have ${MOST_EVENTS} events` };
  const members = objectMembers(body.text);
  const batchLevel = batchLevelOf(body.text, members, envelope.settings.keepIp === true);
  // Said once, and stored with every event: a small body could come to gigabytes.
  const each = batchLevel.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  if (body.text.length + batch.length * each > mostBytes) {
    const message = `A batch with its context in each of its events may have ${mostBytes} bytes`;
    return { status: 413, code: 'too_large', message };
  }
  const spans = arrayElements(body.text, members.get('batch')?.start);
  const inBatch: Envelope = { ...envelope, batchLevel, batchContext: context };
  return spans.map(({ start, end }, i) => decide(body.text.slice(start, end), batch[i], undefined, inBatch));
}
