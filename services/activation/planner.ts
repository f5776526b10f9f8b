import type { DeliveryRequest } from '#schemas/generated/records.ts';
import { deliveryTopic, topics } from '#schemas/topics.ts';
import { type Definitions, type InForce, versionOf } from '#shared/definitions/definitions.ts';
import { defineTask } from '#shared/task/task.ts';
import { idempotencyKeyOf } from './core/idempotency-key.ts';
import { EventView } from './core/segment-event.ts';
import { parseSubscription, type Subscription } from './core/subscription.ts';

type Destination = InForce<'destination'>;

/** Never wants anything: what a subscription that cannot be understood amounts to. */
const nothing: Subscription = () => false;

/** A definition's subscription is parsed once: definitions in force are immutable. */
const parsed = new WeakMap<Destination, Subscription>();
function subscriptionOf(destination: Destination): Subscription {
  const known = parsed.get(destination);
  if (known) return known;
  let subscription = nothing;
  try {
    subscription = parseSubscription(destination.body.subscribe);
  } catch {
    // Told to the operator where definitions are followed; here it only must not stop the others.
  }
  parsed.set(destination, subscription);
  return subscription;
}

function wanting(names: readonly string[], definitions: Definitions): Destination[] {
  return names.flatMap((name) => {
    const destination = definitions.get('destination', name);
    return destination?.body.enabled ? [destination] : [];
  });
}

/**
 * Decides which destinations an event goes to. One planner serves all destinations, each through a topic of its own, so an event is
 * read once and no destination waits for another.
 * @param destinations names, each of which has its topic; a change of the list needs a new planner
 */
export const plannerTask = (destinations: readonly string[], generation: number) =>
  defineTask({
    name: 'planner',
    inputs: { event: topics.eventsStitched },
    outputs: Object.fromEntries(destinations.map((name) => [name, deliveryTopic(name)])),
    stores: {},
    process(inputs, work, definitions) {
      const active = wanting(destinations, definitions);
      for (const input of inputs) {
        const event = input.value;
        if (!event) {
          work.settle(input, 'filtered');
          continue;
        }
        const view = new EventView(event);
        const takers = active.filter((destination) => subscriptionOf(destination)(view));
        const text = takers.length > 0 ? JSON.stringify(view.full) : '';
        for (const destination of takers) {
          const { action, purposes } = destination.body;
          const request: DeliveryRequest = {
            idempotency_key: idempotencyKeyOf({
              destination: destination.name,
              action,
              source: event.source,
              messageId: event.message_id,
            }),
            destination: destination.name,
            action,
            trigger: 'event',
            profile_id: event.profile_id,
            message_id: event.message_id,
            routing: event.identifiers[0]?.hash ?? null,
            event: text,
            purposes,
            consents: event.consents,
            requested_at: event.received_at,
            definitions: [...event.definitions, versionOf(destination)],
            generation,
          };
          work.emit(destination.name, event.profile_id, request, input.timestamp);
        }
        work.settle(input, takers.length > 0 ? 'planned' : 'filtered');
      }
    },
  });
