import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RunningPlatform } from './platform.ts';

const run = promisify(execFile);
const tool = join(import.meta.dirname, '..', '..', 'bin', 'tributary.mjs');

/** What the tool answers as JSON on this platform. Rejects where it ends with another exit code than 0. */
export async function toolOf(platform: RunningPlatform, ...args: string[]): Promise<Record<string, unknown>> {
  const env = { ...process.env, ...platform.env };
  const { stdout } = await run(process.execPath, [tool, ...args, '--json'], { env });
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** The same where it also answers when not all is well. */
export const toolAnyway = (platform: RunningPlatform, ...args: string[]): Promise<Record<string, unknown>> =>
  toolOf(platform, ...args).catch((error: { readonly stdout?: string }) => {
    if (!error.stdout) throw error;
    return JSON.parse(error.stdout) as Record<string, unknown>;
  });
