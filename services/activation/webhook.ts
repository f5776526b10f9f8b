import { deadTopic, topics } from '#schemas/topics.ts';
import type { InForce } from '#shared/definitions/definitions.ts';
import { sensitiveTraitsIn } from '#shared/definitions/sensitive-traits.ts';
import { LostInfrastructure } from '#shared/task/errors.ts';
import { defineTask, type Input } from '#shared/task/task.ts';
import { idempotencyKeyOf } from './core/idempotency-key.ts';
import { coalesce, type FeedRecord, type News } from './core/profile-news.ts';
import { type DeliverPorts, type Done, deadLetter, deliverer, type Sendable } from './deliver.ts';

/** What a webhook is to be sent: its body is the same at each attempt. */
export type Told = Sendable & { readonly webhookId: string; readonly body: string };

export type WebhookPorts = Omit<DeliverPorts<Told, 'profile_webhook'>, 'holdBack'> & {
  /** The other side has said that it wants no more, ever (410). */
  readonly unwanted: (inForce: InForce<'profile_webhook'>) => void;
};

/** What a kill sends again is at most one batch; larger ones coalesce more, and are through sooner with what nobody wants. */
const BATCH_SIZE = 256;
const GONE = 410;
const ACTION = 'post';

/**
 * Sends one webhook the profiles as they change, straight from the feed, and writes down what became of each that it was to be
 * told of. Of a profile's records in a batch only the newest is sent. It stands still while it is switched off.
 */
export function webhookTask(
  { name, body }: InForce<'profile_webhook'>,
  generation: number,
  { unwanted, ...ports }: WebhookPorts,
) {
  const deliver = deliverer<Told, 'profile_webhook'>('profile_webhook', name, generation, {
    ...ports,
    holdBack(inForce, answer) {
      if (!inForce || !answer) throw new LostInfrastructure(`profile_webhook ${name} is switched off`);
      if (answer.kind !== 'declined' || answer.status !== GONE) return;
      unwanted(inForce);
      throw new LostInfrastructure(`the receiver of profile_webhook ${name} wants no more`);
    },
  });
  return defineTask({
    name: `webhook-${name}`,
    inputs: { profile: topics.profiles },
    outputs: { delivery: topics.deliveries, dead: deadTopic(name) },
    stores: {},
    batchSize: BATCH_SIZE,
    startsAtEndOf: body.begin === 'now' ? ['profile'] : [],
    async process(inputs, work, definitions, released) {
      const signal = AbortSignal.any([ports.signal, released]);
      const asked = definitions.get('profile_webhook', name)?.body;
      if (!asked) throw new LostInfrastructure(`profile_webhook ${name} is no more`);
      const interest = { ...asked, sensitiveTraits: sensitiveTraitsIn(definitions) };
      const now = ports.now();
      const settled = new Map<Input, string>();
      const toTell: [input: (typeof inputs)[number], told: Told][] = [];
      for (const records of Map.groupBy(inputs, ({ key }) => key).values()) {
        const { told, others } = coalesce(records, interest, now);
        for (const [record, outcome] of others) settled.set(record, outcome);
        if (told) toTell.push([told.record, toldOf(name, told.record, told.news)]);
      }
      // All have ended when this has: nothing is in flight when the batch is committed, or done again.
      const ended = await Promise.allSettled(
        toTell.map(
          async ([input, told]): Promise<[typeof input, Told, Done]> => [input, told, await deliver(told, signal)],
        ),
      );
      for (const one of ended) {
        if (one.status === 'rejected') throw one.reason;
        const [input, told, { delivery, dead }] = one.value;
        work.emit('delivery', delivery.profile_id, delivery, delivery.requested_at);
        if (dead) {
          const request = input.raw ?? Buffer.from(told.body);
          work.emit('dead', delivery.profile_id, deadLetter(delivery, dead, request), delivery.requested_at);
        }
        settled.set(input, delivery.outcome);
      }
      for (const input of inputs) work.settle(input, settled.get(input) ?? 'filtered');
    },
  });
}

function toldOf(name: string, { key, value, timestamp }: FeedRecord, { id, type, data }: News): Told {
  return {
    idempotency_key: idempotencyKeyOf({ destination: name, action: ACTION, source: 'profiles', messageId: id }),
    action: ACTION,
    trigger: 'profile',
    profile_id: key,
    message_id: id,
    routing: null,
    purposes: [],
    consents: value?.consents ?? [],
    suppressed: value?.flags.includes('quarantined') ? 'quarantined' : null,
    requested_at: timestamp,
    isFarewell: type !== 'profile.changed',
    webhookId: id,
    body: JSON.stringify({ type, timestamp: new Date(timestamp).toISOString(), data }),
  };
}
