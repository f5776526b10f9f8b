import { parseFql, validate } from '@segment/destination-subscriptions';
import type { EventView } from './segment-event.ts';

/** Says whether an event is one that a destination wants. */
export type Subscription = (event: EventView) => boolean;

/** Thrown where the text of a subscription cannot be understood. */
export class InvalidSubscription extends Error {
  readonly code = 'invalid_subscription';
}

/**
 * Understands a query of Segment's destination subscriptions, such as `type = "track" and event = "Order Completed"`.
 * @throws InvalidSubscription
 */
export function parseSubscription(text: string): Subscription {
  const parsed = parseFql(text);
  if ('error' in parsed) throw new InvalidSubscription(`the subscription is not valid: ${parsed.error.message}`);
  return (event) => validate(parsed, event as unknown as Record<string, unknown>);
}
