import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until `holds` answers true. @throws after the time-out, with what was waited for and, if given, how things stand. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 120_000,
  standing?: () => unknown,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > end)
      throw new Error(`${what}: not within ${timeoutMs} ms${standing ? `; ${JSON.stringify(standing())}` : ''}`);
    await sleep(25);
  }
}
