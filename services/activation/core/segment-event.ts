import type { EventStitched } from '#schemas/generated/records.ts';

/** An event in the shape that Segment's destinations and subscriptions read. */
export interface SegmentEvent {
  readonly messageId: string;
  readonly type: string;
  readonly context: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** The largest time that has an ISO text. */
const LAST_TIME = 8.64e15;
const isoOf = (time: number | null): string | undefined =>
  time === null || Math.abs(time) > LAST_TIME ? undefined : new Date(time).toISOString();

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The event as it was sent, with what the platform knows better: ids, the four times (`timestamp` is corrected by the sender's
 * clock skew), the client's address where the source keeps it, and `context.tributary` with the profile and the source.
 * @throws SyntaxError where the payload is not JSON
 */
export function segmentEventOf(event: EventStitched): SegmentEvent {
  const sent: unknown = JSON.parse(event.payload);
  const { writeKey: _, ...rest } = isObject(sent) ? sent : {};
  const context = isObject(rest.context) ? rest.context : {};
  return {
    ...rest,
    messageId: event.message_id,
    type: event.type,
    userId: event.user_id ?? undefined,
    anonymousId: event.anonymous_id ?? undefined,
    timestamp: isoOf(event.timestamp),
    originalTimestamp: isoOf(event.original_timestamp),
    sentAt: isoOf(event.sent_at),
    receivedAt: isoOf(event.received_at),
    context: {
      ...context,
      ...(event.ip === null || 'ip' in context ? {} : { ip: event.ip }),
      tributary: { profileId: event.profile_id, source: event.source },
    },
  };
}

/**
 * The same event for a subscription to look at. What the record holds is answered from there; the payload is parsed only when a
 * subscription asks for more, at most once, and most events are turned down before that.
 */
export class EventView {
  readonly #event: EventStitched;
  #full: SegmentEvent | undefined;

  constructor(event: EventStitched) {
    this.#event = event;
  }

  get full(): SegmentEvent {
    this.#full ??= segmentEventOf(this.#event);
    return this.#full;
  }

  get type(): string {
    return this.#event.type;
  }

  get event(): string | undefined {
    return this.#event.type === 'track' ? (this.#event.event ?? undefined) : undefined;
  }

  get userId(): string | undefined {
    return this.#event.user_id ?? undefined;
  }

  get name(): unknown {
    return this.#event.type === 'track' ? undefined : this.full.name;
  }

  get properties(): unknown {
    return this.full.properties;
  }

  get traits(): unknown {
    return this.full.traits;
  }

  get context(): unknown {
    return this.full.context;
  }
}
