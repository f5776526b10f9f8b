import { hash } from 'node:crypto';
import { parseFql, validate } from '@segment/destination-subscriptions';
import type { DefinitionBodies } from '#shared/definitions/kinds.ts';
import { transform } from '#shared/mapping/mapping-kit.ts';
import { objectOf } from './object-of.ts';
import type { Refusal } from './refusal.ts';
import { MOST_EVENTS } from './request.ts';

type Fields = Readonly<Record<string, unknown>>;
type Settings = NonNullable<DefinitionBodies['source']['webhook']>;

/** A webhook as conditions and mappings see it: in the shape of an event. */
interface Seen extends Fields {
  /** An element of the list that `each` names, or the body. */
  readonly properties: unknown;
  readonly context: { readonly body: unknown; readonly headers: Fields; readonly query: Fields };
}

interface Rule {
  /** Its place among the source's rules. */
  readonly place: number;
  readonly wants: (seen: Seen) => boolean;
  readonly map: Fields;
}

/** Rules that look at the elements of the same list; undefined: at the body. */
interface RulesOfList {
  readonly list: readonly string[] | undefined;
  readonly rules: readonly Rule[];
}

export interface WebhookRules {
  readonly verify: Settings['verify'];
  readonly lists: readonly RulesOfList[];
}

/** The rules of a source, understood once. */
export const webhookRules = ({ verify, events }: Settings): WebhookRules => ({
  verify,
  lists: [...Map.groupBy(events.entries(), ([, { each }]) => each)].map(([each, rules]) => ({
    list: each?.split('.').slice(1),
    rules: rules.map(([place, { when, map }]) => {
      const query = when === undefined ? undefined : parseFql(when);
      return { place, map, wants: (seen) => query === undefined || validate(query, seen) };
    }),
  })),
});

/** A webhook that has arrived. */
interface Arrived {
  readonly bytes: Buffer;
  readonly body: unknown;
  /** By name, in lower case. */
  readonly headers: Fields;
  readonly query: string | undefined;
}

/** What a rule has made: an event, or why it could make none, with the text to keep. */
type Made = { readonly text: string; readonly event: Fields } | { readonly text: string; readonly fault: string };

/** Keys to other doors. */
const secretHeaders: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie', 'x-write-key']);

/**
 * What a source's rules make of a webhook, and how many of its elements none of them wants.
 * @param mostBytes what the events may come to: each could repeat the whole body
 */
export function mapWebhook(
  lists: readonly RulesOfList[],
  { bytes, body, headers, query }: Arrived,
  mostBytes: number,
): { readonly made: readonly Made[]; readonly unwanted: number } | Refusal {
  const context = {
    body,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !secretHeaders.has(name))),
    query: Object.fromEntries([...new URLSearchParams(query)].filter(([name]) => name !== 'writeKey')),
  };
  const digest = hash('sha256', bytes).slice(0, 32);
  const made: Made[] = [];
  const placeOfId = new Map<string, number>();
  let unwanted = 0;
  let size = 0;
  for (const { list, rules } of lists) {
    const elements = list ? elementsOf(body, list) : [body];
    if (elements.length > MOST_EVENTS)
      return { status: 413, code: 'too_many_events', message: `A webhook may have ${MOST_EVENTS} elements` };
    for (const [i, properties] of elements.entries()) {
      const seen: Seen = { properties, context };
      const wanting = rules.filter(({ wants }) => wants(seen));
      if (wanting.length === 0) unwanted++;
      for (const { place, map } of wanting) {
        const one = eventOf(map, seen, (given) => {
          // The same words come again as the same events, and are dropped as duplicates.
          if (!isId(given)) return `${digest}-${place}-${i}`;
          // A number and its text are one id in the end.
          const id = String(given);
          if (!placeOfId.has(id)) placeOfId.set(id, place);
          return placeOfId.get(id) === place ? given : `${id}-${place}`;
        });
        made.push(one);
        size += one.text.length;
        if (size > mostBytes)
          return { status: 413, code: 'too_large', message: `The events of a webhook may have ${mostBytes} bytes` };
      }
    }
  }
  return { made, unwanted };
}

const isId = (value: unknown): value is string | number =>
  typeof value === 'number' || (typeof value === 'string' && value.trim() !== '');

function elementsOf(body: unknown, list: readonly string[]): readonly unknown[] {
  const found = list.reduce((at, name) => (Object.hasOwn(objectOf(at), name) ? objectOf(at)[name] : undefined), body);
  return Array.isArray(found) ? found : [];
}

function eventOf(map: Fields, seen: Seen, idOf: (given: unknown) => unknown): Made {
  try {
    const mapped = transform(map, seen);
    const timestamp = timeIn(mapped.timestamp);
    const event = {
      ...mapped,
      messageId: idOf(mapped.messageId),
      ...(timestamp === undefined ? {} : { timestamp }),
    };
    return { text: JSON.stringify(event), event };
  } catch (error) {
    const fault = error instanceof Error ? error.message : 'unknown';
    return { text: JSON.stringify(seen.properties) ?? 'null', fault: `$: ${fault.slice(0, 200)}` };
  }
}

/** Before 1973 in milliseconds, until the year 5138 in seconds. */
const SECONDS_BELOW = 100_000_000_000;
const isNumber = /^\d+(\.\d+)?$/;

/** Providers count seconds, where SDKs count milliseconds. */
function timeIn(value: unknown): unknown {
  const number = typeof value === 'string' && isNumber.test(value) ? Number(value) : value;
  if (typeof number !== 'number') return value;
  return Math.trunc(number < SECONDS_BELOW ? number * 1_000 : number);
}
