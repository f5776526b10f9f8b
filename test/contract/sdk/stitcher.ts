import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { secret } from '../../support/collector-process.ts';
import { freePorts } from '../../support/free-ports.ts';
import type { Addresses } from '../../support/installation.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const main = new URL('../../../services/identity-stitcher/main.ts', import.meta.url).pathname;

/** Starts a real stitcher in a process of its own: ClickHouse reads what it has put to a profile. @returns what stops it */
export async function startStitcher({ brokers, registryUrl }: Addresses, prefix: string): Promise<() => Promise<void>> {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'secret'), secret.toString('hex'));
  const [port] = await freePorts(1);
  const child = spawn(process.execPath, [main], {
    env: {
      PATH: process.env.PATH,
      TRIBUTARY_KAFKA_BROKERS: brokers,
      TRIBUTARY_REGISTRY_URL: registryUrl,
      TRIBUTARY_PREFIX: prefix,
      TRIBUTARY_DATA: directory,
      TRIBUTARY_OPS_PORT: String(port),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  return async () => {
    child.kill('SIGTERM');
    await ended;
  };
}
