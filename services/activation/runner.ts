import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from '#shared/service/service.ts';

/** A task at work. */
export type Runner = Service & { notReady(): readonly string[] };

const JOINING_MS = 30_000;

/** A runner can be stopped only once it has joined its group. */
export async function joined(runner: Runner): Promise<void> {
  const end = performance.now() + JOINING_MS;
  while (runner.notReady().length > 0 && performance.now() < end) await sleep(20);
}
