import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds; `expect.poll` waits as long. */
export const PATIENCE_MS = 120_000;

/** Thrown by who is asked: waiting longer is of no use. */
export class Hopeless extends Error {}

/**
 * Waits until `holds` answers true. What it throws counts as not yet: what is asked may be down, busy, or without an answer for a while.
 * @throws Hopeless at once, and after the time-out, with what was waited for, what was thrown last, and, if given, how things stand
 */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = PATIENCE_MS,
  standing?: () => unknown,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    let cause: unknown;
    try {
      if (await holds()) return;
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      cause = error;
    }
    if (performance.now() > end) {
      const details = [cause && String(cause), standing && JSON.stringify(standing())].filter(Boolean);
      throw new Error([`${what}: not within ${timeoutMs} ms`, ...details].join('; '), { cause });
    }
    await sleep(25);
  }
}
