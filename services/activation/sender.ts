import type { Consent, Delivery, DeliveryDead, DeliveryRequest } from '#schemas/generated/records.ts';
import { deadTopic, deliveryTopic, topics } from '#schemas/topics.ts';
import { type Definitions, type InForce, versionOf } from '#shared/definitions/definitions.ts';
import { LostInfrastructure } from '#shared/task/errors.ts';
import { defineTask, type Input } from '#shared/task/task.ts';
import type { Answer } from './core/answer.ts';
import { backOffMs } from './core/backoff.ts';
import { classify } from './core/classify.ts';
import { decideConsent } from './core/consent.ts';
import { Slots } from './core/slots.ts';
import type { Send } from './destination.ts';

/** What a sender takes from outside. */
export interface SenderPorts {
  readonly send: Send;
  /** What the person that a request is about has consented to by now; asked before every attempt that needs a purpose. */
  readonly consentsOf: (request: DeliveryRequest) => Promise<readonly Consent[]>;
  /** The newest definitions: asked before every attempt, so that a correction or a stop takes effect within a back-off. */
  readonly definitions: () => Definitions;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Rejects when the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Aborts when the sender must stop: attempts and waits end at once, and the batch is done again by whoever comes next. */
  readonly signal: AbortSignal;
}

/** Few, since a batch is committed as a whole: what a kill sends again is at most one batch. */
const BATCH_SIZE = 64;
const ANSWER_LENGTH = 500;

interface Done {
  readonly delivery: Delivery;
  readonly dead: { readonly reason: string; readonly message: string } | undefined;
}

/** How far a request has come. */
interface Progress {
  readonly attempts: number;
  readonly last: Answer | undefined;
}

/** Sends what was planned for one destination, in order per profile, and writes down what became of each request. */
export function senderTask(name: string, generation: number, ports: SenderPorts) {
  const slots = new Slots();
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
          const value: DeliveryDead = {
            idempotency_key: delivery.idempotency_key,
            destination: name,
            profile_id: delivery.profile_id,
            reason: dead.reason,
            message: dead.message,
            attempts: delivery.attempts,
            request: input.raw ?? Buffer.from(JSON.stringify(input.value)),
            at: delivery.finished_at,
            generation,
          };
          work.emit('dead', delivery.profile_id, value, delivery.requested_at);
        }
        work.settle(input, delivery.outcome);
      }
    },
  });

  /** Attempts and waits, until it has ended. Whoever waits holds no slot: others send meanwhile. */
  async function deliver(request: DeliveryRequest, signal: AbortSignal): Promise<Done> {
    let progress: Progress = { attempts: 0, last: undefined };
    for (;;) {
      await slots.take(ports.definitions().get('destination', name)?.body.concurrency ?? 1);
      const result = await attempt(request, progress, signal).finally(() => slots.give());
      if ('delivery' in result) return result;
      progress = result.progress;
      await ports.sleep(result.waitMs, signal).catch(() => assertGoingOn(signal));
    }
  }

  /** Asks whether the request may leave at this moment, and sends it once if so. @returns its end, or how long to wait for the next */
  async function attempt(
    request: DeliveryRequest,
    before: Progress,
    signal: AbortSignal,
  ): Promise<Done | { readonly progress: Progress; readonly waitMs: number }> {
    assertGoingOn(signal);
    const definitions = ports.definitions();
    const destination = definitions.get('destination', name);
    if (!destination?.body.enabled) {
      const reason = destination ? 'destination_disabled' : 'destination_deleted';
      const standing = { destination, definitions, consents: [] };
      return finish(request, { ...standing, progress: before, outcome: 'suppressed', reason });
    }
    if (request.suppressed !== null) {
      const standing = { destination, definitions, consents: [] };
      return finish(request, { ...standing, progress: before, outcome: 'suppressed', reason: request.suppressed });
    }
    const purposes = [...request.purposes, ...destination.body.purposes];
    const known = purposes.length > 0 ? await ports.consentsOf(request) : [];
    const consent = decideConsent(
      purposes,
      [...request.consents, ...known],
      (purpose) => definitions.get('purpose', purpose)?.body.default ?? 'denied',
    );
    const standing = { destination, definitions, consents: consent.consents };
    if (!consent.allowed)
      return finish(request, { ...standing, progress: before, outcome: 'suppressed', reason: consent.reason });

    const last = await ports.send(request, destination, signal).catch((error: unknown) => {
      assertGoingOn(signal);
      throw error;
    });
    const attempts = before.attempts + 1;
    const progress = { attempts, last };
    const verdict = classify(last);
    if (verdict.next === 'delivered')
      return finish(request, { ...standing, progress, outcome: 'delivered', reason: null });
    const { retry } = destination.body;
    if (verdict.next === 'give_up' || attempts >= retry.attempts)
      return finish(request, { ...standing, progress, outcome: 'dead', reason: verdict.reason });
    return { progress, waitMs: backOffMs(attempts, retry, verdict.afterMs, ports.random()) };
  }

  /** @throws LostInfrastructure when the sender must stop: the request is not at fault and keeps its place. */
  function assertGoingOn(signal: AbortSignal): void {
    if (signal.aborted) throw new LostInfrastructure(`sender-${name} is stopping`);
  }

  function finish(
    request: DeliveryRequest,
    end: {
      readonly destination: InForce<'destination'> | undefined;
      readonly definitions: Definitions;
      readonly progress: Progress;
      readonly consents: readonly Consent[];
      readonly outcome: 'delivered' | 'suppressed' | 'dead';
      readonly reason: string | null;
    },
  ): Done {
    const { destination, definitions, progress, outcome, reason } = end;
    const { attempts, last } = progress;
    const purposes = [...new Set([...request.purposes, ...(destination?.body.purposes ?? [])])].sort();
    const met = purposes.flatMap((purpose) => definitions.get('purpose', purpose) ?? []);
    const answered = last?.kind === 'accepted' || last?.kind === 'declined' ? last : undefined;
    const delivery: Delivery = {
      idempotency_key: request.idempotency_key,
      destination: name,
      action: destination?.body.action ?? request.action,
      trigger: request.trigger,
      profile_id: request.profile_id,
      message_id: request.message_id,
      outcome,
      reason,
      purposes,
      consents: end.consents,
      fields: last?.fields ?? [],
      attempts,
      status: answered?.status ?? null,
      answer: answered?.body?.slice(0, ANSWER_LENGTH) ?? null,
      requested_at: request.requested_at,
      finished_at: ports.now(),
      definitions: [...(destination ? [versionOf(destination)] : []), ...met.map(versionOf)],
      generation,
    };
    if (outcome !== 'dead') return { delivery, dead: undefined };
    return { delivery, dead: { reason: reason ?? 'unknown', message: describe(last, attempts) } };
  }
}

function describe(answer: Answer | undefined, attempts: number): string {
  const after = `after ${attempts} attempt${attempts === 1 ? '' : 's'}`;
  switch (answer?.kind) {
    case 'declined':
      return `HTTP ${answer.status} ${after}`;
    case 'unreachable':
      return `unreachable (${answer.code}) ${after}`;
    case 'timed_out':
      return `no answer in time, ${after}`;
    case 'unsendable':
      return answer.message;
    default:
      return `given up ${after}`;
  }
}
