import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RunningPlatform } from './platform.ts';

const run = promisify(execFile);
export const tool = join(import.meta.dirname, '..', '..', 'bin', 'tributary.mjs');

/** What the tool is run with on this platform. */
export function environmentOf({ env, platform: { settings } }: RunningPlatform): NodeJS.ProcessEnv {
  const { stitcherOpsPort, projectorOpsPort, activationOpsPort } = settings;
  return {
    ...process.env,
    ...env,
    TRIBUTARY_STITCHER_OPS_PORT: String(stitcherOpsPort),
    TRIBUTARY_PROJECTOR_OPS_PORT: String(projectorOpsPort),
    TRIBUTARY_ACTIVATION_OPS_PORT: String(activationOpsPort),
  };
}

/** What the tool answers as JSON on this platform. Rejects where it ends with another exit code than 0. */
export async function toolOf(platform: RunningPlatform, ...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(process.execPath, [tool, ...args, '--json'], { env: environmentOf(platform) });
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** What it answers where it finds something wrong. Rejects where it does not. */
export async function findingsOf(platform: RunningPlatform, ...args: string[]): Promise<Record<string, unknown>> {
  try {
    await toolOf(platform, ...args);
  } catch (error) {
    const { code, stdout } = error as { readonly code?: unknown; readonly stdout?: string };
    const answer = code === 1 && stdout ? (JSON.parse(stdout) as Record<string, unknown>) : {};
    if ('error' in answer || Object.keys(answer).length === 0) throw error;
    return answer;
  }
  throw new Error(`tributary ${args.join(' ')} finds nothing wrong`);
}
