export interface RateLimit {
  /** How many a second, in the long run. */
  readonly perSecond: number;
  /** How many at once after a pause. */
  readonly burst: number;
}

interface Bucket {
  /** Below nothing after a batch of more than there were. */
  tokens: number;
  /** When that was, milliseconds. */
  at: number;
}

/**
 * A token bucket for each key, in this process. A request may go on as long as one token is there, and takes one for each of what it
 * brings or asks for: a batch larger than the burst is not turned away for ever, the next ones wait for it.
 */
export class RateLimits {
  readonly #buckets = new Map<string, Bucket>();

  /** @returns whole seconds to wait before a request of this key may come; 0: it may */
  wait(key: string, limit: RateLimit, now: number): number {
    const { tokens } = this.#filled(key, limit, now);
    return tokens >= 1 ? 0 : Math.max(1, Math.ceil((1 - tokens) / limit.perSecond));
  }

  /** Takes what a request has. */
  take(key: string, limit: RateLimit, count: number, now: number): void {
    this.#filled(key, limit, now).tokens -= count;
  }

  #filled(key: string, { perSecond, burst }: RateLimit, now: number): Bucket {
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      bucket = { tokens: burst, at: now };
      this.#buckets.set(key, bucket);
    }
    // A clock that is set back gives nothing, and takes nothing.
    const seconds = Math.max(0, now - bucket.at) / 1_000;
    bucket.tokens = Math.min(burst, bucket.tokens + seconds * perSecond);
    bucket.at = now;
    return bucket;
  }
}
