/**
 * A request that is refused as a whole. SDKs drop what gets 400, 401, 403, 404, 413 or 415, for ever, and come back with what gets
 * 503: what is not the sender's fault is always a 503.
 */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 405 | 413 | 415 | 503;
  /** Stable. */
  readonly code: string;
  readonly message: string;
}
