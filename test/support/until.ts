import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until `holds` answers true. What it throws counts as not yet: what is asked may be down, busy, or without an answer for a while.
 * @throws after the time-out, with what was waited for, what was thrown last, and, if given, how things stand
 */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 120_000,
  standing?: () => unknown,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    let cause: unknown;
    try {
      if (await holds()) return;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > end) {
      const details = [cause && String(cause), standing && JSON.stringify(standing())].filter(Boolean);
      throw new Error([`${what}: not within ${timeoutMs} ms`, ...details].join('; '), { cause });
    }
    await sleep(25);
  }
}
