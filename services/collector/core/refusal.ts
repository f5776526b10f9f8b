/**
 * A request that is refused as a whole. SDKs drop what gets 400, 401, 403, 404, 413, 415 or 431, for ever, and come back with what gets
 * 408 or 503: what is not the sender's fault is always one of these.
 */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 413 | 415 | 431 | 503;
  /** Stable. */
  readonly code: string;
  readonly message: string;
}
