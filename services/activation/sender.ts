import type { DeliveryRequest } from '#schemas/generated/records.ts';
import { deadTopic, deliveryTopic, topics } from '#schemas/topics.ts';
import { defineTask, type Input } from '#shared/task/task.ts';
import { type DeliverPorts, type Done, deadLetter, deliverer } from './deliver.ts';

/** Few, since a batch is committed as a whole: what a kill sends again is at most one batch. */
const BATCH_SIZE = 64;

/** Sends what was planned for one destination, in order per profile, and writes down what became of each request. */
export function senderTask(name: string, generation: number, ports: DeliverPorts) {
  const deliver = deliverer<DeliveryRequest, 'destination'>('destination', name, generation, ports);
  return defineTask({
    name: `sender-${name}`,
    inputs: { request: deliveryTopic(name) },
    outputs: { delivery: topics.deliveries, dead: deadTopic(name) },
    stores: {},
    batchSize: BATCH_SIZE,
    async process(inputs, work, _definitions, released) {
      const signal = AbortSignal.any([ports.signal, released]);
      const done = new Map<Input, Done>();
      const chains = Map.groupBy(inputs, ({ key }) => key);
      const sendChain = async (chain: typeof inputs): Promise<void> => {
        for (const input of chain) if (input.value) done.set(input, await deliver(input.value, signal));
      };
      // All have ended when this has: nothing is in flight when the batch is committed, or done again.
      const ended = await Promise.allSettled([...chains.values()].map(sendChain));
      for (const one of ended) if (one.status === 'rejected') throw one.reason;

      for (const input of inputs) {
        const result = done.get(input);
        if (!input.value || !result) {
          work.reject(input, { reason: 'empty_request', message: 'a delivery request without a value' });
          continue;
        }
        const { delivery, dead } = result;
        work.emit('delivery', delivery.profile_id, delivery, delivery.requested_at);
        if (dead) {
          const request = input.raw ?? Buffer.from(JSON.stringify(input.value));
          work.emit('dead', delivery.profile_id, deadLetter(delivery, dead, request), delivery.requested_at);
        }
        work.settle(input, delivery.outcome);
      }
    },
  });
}
