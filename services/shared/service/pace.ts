import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Lets so many through in a second, over time: whoever took many waits before the next.
 * @param perSecond 0: any number
 * @returns what takes some; resolves when they may be, or `signal` aborts
 */
export function pace(perSecond: number): (some: number, signal: AbortSignal) => Promise<void> {
  let free = 0;
  return async (some, signal) => {
    if (perSecond === 0) return;
    const now = performance.now();
    if (free > now) await sleep(free - now, undefined, { signal }).catch(() => undefined);
    free = Math.max(free, now) + (some * 1_000) / perSecond;
  };
}
