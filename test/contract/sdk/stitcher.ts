import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { serviceEnvironment } from '../../support/collector-process.ts';
import { freePorts } from '../../support/free-ports.ts';
import type { Addresses } from '../../support/installation.ts';

const main = new URL('../../../services/identity-stitcher/main.ts', import.meta.url).pathname;

/** Starts a real stitcher in a process of its own: ClickHouse reads what it has put to a profile. @returns what stops it */
export async function startStitcher(platform: Addresses, prefix: string): Promise<() => Promise<void>> {
  const [port] = await freePorts(1);
  const child = spawn(process.execPath, [main], {
    env: { ...serviceEnvironment(platform, prefix), TRIBUTARY_OPS_PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  return async () => {
    child.kill('SIGTERM');
    await ended;
  };
}
