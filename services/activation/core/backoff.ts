/** How a destination is tried again. Milliseconds. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly initialMs: number;
  readonly maxMs: number;
}

/** Longer wishes of the other side are not granted: the partition waits with the request. */
export const LONGEST_RETRY_AFTER_MS = 300_000;

/**
 * How long to wait after a failed attempt: doubles from `initialMs` to `maxMs`, of which the upper half is random so that many
 * senders do not come back at once; never less than what the other side asked for.
 * @param attempt the attempt that failed, from 1
 * @param random in [0, 1)
 */
export function backOffMs(attempt: number, policy: RetryPolicy, afterMs: number | null, random: number): number {
  const ceiling = Math.min(policy.maxMs, policy.initialMs * 2 ** (attempt - 1));
  const wait = ceiling / 2 + (ceiling / 2) * random;
  return Math.round(Math.max(wait, Math.min(afterMs ?? 0, LONGEST_RETRY_AFTER_MS)));
}
