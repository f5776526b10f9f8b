import { createHmac } from 'node:crypto';

/** The headers by which a receiver knows a webhook for ours: those of the Standard Webhooks specification. */
export interface SignedHeaders {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

/**
 * Signs a webhook: one HMAC-SHA256 of `id.timestamp.body` for each key, so that receivers find theirs while a key is changed for another.
 * @param id the same for each attempt; without dots it could not be told from the timestamp, so it must not end in one
 * @param seconds of this attempt, since 1970: receivers turn old ones down
 */
export function signWebhook(id: string, seconds: number, body: string, keys: readonly Buffer[]): SignedHeaders {
  const signatures = keys.map(
    (key) => `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`,
  );
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': signatures.join(' ') };
}
