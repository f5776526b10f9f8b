import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { topics } from '#schemas/topics.ts';
import type { definitionKinds } from '#shared/definitions/kinds.ts';
import { compiled } from '../../deploy/local/services.ts';
import type { Addresses, Installation } from './installation.ts';
import { produce } from './produce.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { until } from './until.ts';

const main = new URL('../../services/collector/main.ts', import.meta.url).pathname;

/** The secret of every collector here, so that a test can compute hashes. */
export const secret = Buffer.alloc(32, 7);

export interface CollectorProcess {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly child: ChildProcess;
  /** Resolves when `/ready` says so. */
  ready(): Promise<void>;
  /** Asks it to stop. @returns its exit code */
  stop(): Promise<number | null>;
}

/** What a service of an installation is started with; it has a directory of its own. */
export function serviceEnvironment({ brokers, registryUrl }: Addresses, prefix: string): NodeJS.ProcessEnv {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'secret'), secret.toString('hex'));
  return {
    PATH: process.env.PATH,
    ...compiled,
    TRIBUTARY_KAFKA_BROKERS: brokers,
    TRIBUTARY_REGISTRY_URL: registryUrl,
    TRIBUTARY_PREFIX: prefix,
    TRIBUTARY_DATA: directory,
  };
}

/** A real collector in a process of its own, on a port of its own. Resolves when it listens, ready or not. */
export async function startCollector(
  platform: Addresses,
  prefix: string,
  env: Readonly<Record<string, string>> = {},
): Promise<CollectorProcess> {
  const child = spawn(process.execPath, [main], {
    env: { ...serviceEnvironment(platform, prefix), TRIBUTARY_COLLECTOR_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (process.env.TRIBUTARY_TEST_LOG) process.stdout.write(chunk);
      output = (output + String(chunk)).slice(-10_000);
      const port = /"port":(\d+),"msg":"listening"/.exec(output)?.[1];
      if (port) resolve(`http://127.0.0.1:${port}`);
    });
    child.once('exit', () => reject(new Error(`the collector ended: ${output}`)));
  });
  return {
    url,
    child,
    ready: () => until('the collector is ready', async () => (await fetch(`${url}/ready`)).ok),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await exited;
      return child.exitCode;
    },
  };
}

type SourceBody = z.input<(typeof definitionKinds)['source']>;

/** Puts sources into force. */
export const defineSources = (
  installation: Installation,
  sources: Readonly<Record<string, SourceBody>>,
  version = 1,
): Promise<void> =>
  produce(
    installation,
    topics.definitions,
    Object.entries(sources).map(([name, body]) => ({
      key: `source/${name}`,
      value: {
        kind: 'source',
        name,
        version,
        body: JSON.stringify(body),
        actor: 'test',
        reason: '',
        at: 0,
        deleted: false,
      },
    })),
  );
