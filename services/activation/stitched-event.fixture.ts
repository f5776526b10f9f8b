import type { EventStitched } from '#schemas/generated/records.ts';

const AT = Date.parse('2026-03-01T12:00:00Z');

/** An event for tests: an order of the user u1, unless told otherwise. */
export function stitchedEvent({
  payload,
  ...changes
}: { payload?: unknown } & Partial<Omit<EventStitched, 'payload'>>): EventStitched {
  return {
    message_id: 'm1',
    type: 'track',
    event: 'Order Completed',
    source: 'web',
    user_id: 'u1',
    anonymous_id: null,
    original_timestamp: AT - 60_000,
    sent_at: null,
    received_at: AT + 1_000,
    timestamp: AT,
    flags: [],
    kind: 'person',
    identifiers: [{ type: 'user_id', value: 'u1', hash: '0'.repeat(32) }],
    ip: null,
    enrichment: '{}',
    consents: [],
    currency: 'USD',
    definitions: [],
    generation: 1,
    profile_id: 'p1',
    mapping_version: 0,
    ...changes,
    payload: JSON.stringify(payload ?? { type: 'track', event: 'Order Completed', properties: { revenue: 11.77 } }),
  };
}
