import type { Consent, Delivery, DeliveryDead, DeliveryRequest } from '#schemas/generated/records.ts';
import { type Definitions, type InForce, versionOf } from '#shared/definitions/definitions.ts';
import { LostInfrastructure } from '#shared/task/errors.ts';
import type { Answer } from './core/answer.ts';
import { backOffMs } from './core/backoff.ts';
import { classify } from './core/classify.ts';
import { decideConsent } from './core/consent.ts';
import { Slots } from './core/slots.ts';
import type { Send } from './destination.ts';

/** What is to be sent, and what its line in the ledger needs. */
export type Sendable = Pick<
  DeliveryRequest,
  | 'idempotency_key'
  | 'action'
  | 'trigger'
  | 'profile_id'
  | 'message_id'
  | 'routing'
  | 'purposes'
  | 'consents'
  | 'suppressed'
  | 'requested_at'
> & {
  /** Says nothing about a person but that there is none any more: no purpose is asked for it. */
  readonly isFarewell?: boolean;
};

/** Kinds of definitions that say where something is sent. */
type Kind = 'destination' | 'profile_webhook';

/** What delivering takes from outside. */
export interface DeliverPorts<R extends Sendable = DeliveryRequest, K extends Kind = 'destination'> {
  readonly send: Send<R, K>;
  /** What the person that a request is about has consented to by now; asked before every attempt that needs a purpose. */
  readonly consentsOf: (request: R) => Promise<readonly Consent[]>;
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
  /**
   * Called before an attempt that finds it switched off or deleted, and with each answer of the other side: if it throws, nothing
   * is settled. When absent, what is switched off is suppressed.
   */
  readonly holdBack?: (inForce: InForce<K> | undefined, answer: Answer | undefined) => void;
}

const ANSWER_LENGTH = 500;

/** What became of a request. */
export interface Done {
  readonly delivery: Delivery;
  readonly dead: Pick<DeliveryDead, 'reason' | 'message'> | undefined;
}

/** How far a request has come. */
interface Progress {
  readonly attempts: number;
  readonly last: Answer | undefined;
}

/**
 * Attempts and waits, until a request has ended. At most `concurrency` attempts are under way at once.
 * @returns a function that rejects with LostInfrastructure when its signal aborts: then nothing is known of the request
 */
export function deliverer<R extends Sendable, K extends Kind>(
  kind: K,
  name: string,
  generation: number,
  ports: DeliverPorts<R, K>,
): (request: R, signal: AbortSignal) => Promise<Done> {
  const slots = new Slots();

  /** Whoever waits holds no slot: others send meanwhile. */
  return async function deliver(request: R, signal: AbortSignal): Promise<Done> {
    let progress: Progress = { attempts: 0, last: undefined };
    for (;;) {
      await slots.take(ports.definitions().get(kind, name)?.body.concurrency ?? 1);
      const result = await attempt(request, progress, signal).finally(() => slots.give());
      if ('delivery' in result) return result;
      progress = result.progress;
      await ports.sleep(result.waitMs, signal).catch(() => assertGoingOn(signal));
    }
  };

  /** Asks whether the request may leave at this moment, and sends it once if so. @returns its end, or how long to wait for the next */
  async function attempt(
    request: R,
    before: Progress,
    signal: AbortSignal,
  ): Promise<Done | { readonly progress: Progress; readonly waitMs: number }> {
    assertGoingOn(signal);
    const definitions = ports.definitions();
    const destination = definitions.get(kind, name);
    if (!destination?.body.enabled) {
      ports.holdBack?.(destination, undefined);
      const reason = destination ? 'destination_disabled' : 'destination_deleted';
      const standing = { destination, definitions, consents: [] };
      return finish(request, { ...standing, progress: before, outcome: 'suppressed', reason });
    }
    if (request.suppressed !== null) {
      const standing = { destination, definitions, consents: [] };
      return finish(request, { ...standing, progress: before, outcome: 'suppressed', reason: request.suppressed });
    }
    const purposes = request.isFarewell ? [] : [...request.purposes, ...destination.body.purposes];
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
    ports.holdBack?.(destination, last);
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
    if (signal.aborted) throw new LostInfrastructure(`${kind} ${name} is stopping`);
  }

  function finish(
    request: R,
    end: {
      readonly destination: InForce<K> | undefined;
      readonly definitions: Definitions;
      readonly progress: Progress;
      readonly consents: readonly Consent[];
      readonly outcome: 'delivered' | 'suppressed' | 'dead';
      readonly reason: string | null;
    },
  ): Done {
    const { destination, definitions, progress, outcome, reason } = end;
    const { attempts, last } = progress;
    const needed = request.isFarewell ? [] : [...request.purposes, ...(destination?.body.purposes ?? [])];
    const purposes = [...new Set(needed)].sort();
    const met = purposes.flatMap((purpose) => definitions.get('purpose', purpose) ?? []);
    const answered = last?.kind === 'accepted' || last?.kind === 'declined' ? last : undefined;
    const delivery: Delivery = {
      idempotency_key: request.idempotency_key,
      destination: name,
      action: destination && 'action' in destination.body ? destination.body.action : request.action,
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

/** The dead letter of a request that was given up. @param request its bytes, as they were */
export const deadLetter = (
  { idempotency_key, destination, profile_id, attempts, finished_at, generation }: Delivery,
  { reason, message }: NonNullable<Done['dead']>,
  request: Buffer,
): DeliveryDead => ({
  idempotency_key,
  destination,
  profile_id,
  reason,
  message,
  attempts,
  request,
  at: finished_at,
  generation,
});

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
