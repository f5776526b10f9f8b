/**
 * A request that is refused as a whole. SDKs drop what gets 400, 401, 403, 404, 413, 415 or 431, for ever, and come back with what gets
 * 408, 429 or 503: what is not the sender's fault is always one of these.
 */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 413 | 415 | 429 | 431 | 503;
  /** Stable. */
  readonly code: string;
  readonly message: string;
  /** With 429 and 503: seconds to stay away. */
  readonly retryAfter?: number;
}

/** Never a 401: what gets one is dropped for ever. */
export const NOT_KNOWN_YET: Refusal = { status: 503, code: 'unavailable', message: 'The sources are not known yet' };
