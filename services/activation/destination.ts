import type { DeliveryRequest } from '#schemas/generated/records.ts';
import type { InForce } from '#shared/definitions/definitions.ts';
import type { Answer } from './core/answer.ts';

/**
 * Sends one request, once. Rejects only when the signal aborts: then nothing is known of the attempt. Whoever receives
 * it may see it again, with the same idempotency key.
 */
export type Send = (
  request: DeliveryRequest,
  destination: InForce<'destination'>,
  signal: AbortSignal,
) => Promise<Answer>;
