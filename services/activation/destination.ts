import type { DeliveryRequest } from '#schemas/generated/records.ts';
import type { InForce } from '#shared/definitions/definitions.ts';
import type { DefinitionKind } from '#shared/definitions/kinds.ts';
import type { Answer } from './core/answer.ts';

/**
 * Sends one request, once. Rejects only when the signal aborts: then nothing is known of the attempt. Whoever receives
 * it may see it again, with the same idempotency key.
 */
export type Send<R = DeliveryRequest, K extends DefinitionKind = 'destination'> = (
  request: R,
  inForce: InForce<K>,
  signal: AbortSignal,
) => Promise<Answer>;
