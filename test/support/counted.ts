import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { compiled } from '../../deploy/local/services.ts';
import { addresses } from './addresses.ts';
import type { Installation } from './installation.ts';
import { readAll } from './read-all.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { until } from './until.ts';

export const countOut = async (installation: Installation): Promise<number> =>
  (await readAll(installation, topics.eventsStitched)).length;

/** Waits for `count` numbered events, then fails unless every key has the numbers 1, 2, 3 … once each, in order. */
export async function expectEachOnce(installation: Installation, count: number): Promise<void> {
  await until(`${count} are out`, async () => (await countOut(installation)) >= count);
  const out = await readAll(installation, topics.eventsStitched);
  const numbers = new Map<string, number[]>();
  for (const { key, value } of out) numbers.set(key, [...(numbers.get(key) ?? []), value?.mapping_version ?? -1]);
  for (const [key, seen] of numbers) expect(seen, `numbers of ${key}`).toEqual(seen.map((_, i) => i + 1));
  expect(new Set(out.map(({ value }) => value?.message_id)).size).toBe(count);
  expect(out.length).toBe(count);
}

/** The counting task as a process of its own. Resolves when it works. */
export async function startCounter(
  installation: Installation,
  dataDirectory = temporaryDirectory(),
): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('./counter-process.ts', import.meta.url));
  const config = JSON.stringify({ ...addresses(), prefix: installation.prefix, dataDirectory });
  const child = spawn(process.execPath, [script, config], {
    env: { ...process.env, ...compiled },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (data) => String(data).includes('READY') && resolve());
    child.once('exit', (code) => reject(new Error(`the counter ended with ${code}`)));
  });
  return child;
}

export async function stopCounter(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
