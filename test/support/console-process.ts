import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AllAddresses } from './addresses.ts';
import { serviceEnvironment } from './collector-process.ts';
import { freePorts } from './free-ports.ts';
import { until } from './until.ts';
import type { Warehouse } from './warehouse.ts';

const main = new URL('../../services/console/main.ts', import.meta.url).pathname;
const token = 'a-token-of-this-test';

export interface ConsoleProcess {
  /** Asks the read API for a path. */
  ask(path: string): Promise<{ readonly status: number; readonly body: unknown }>;
  stop(): Promise<void>;
}

/** A real console in a process of its own. Resolves when it is ready. */
export async function startConsole(
  platform: AllAddresses,
  prefix: string,
  { database }: Pick<Warehouse, 'database'>,
): Promise<ConsoleProcess> {
  const [port] = await freePorts(1);
  const env = serviceEnvironment(platform, prefix);
  const directory = env.TRIBUTARY_DATA as string;
  writeFileSync(join(directory, 'api-token'), token);
  writeFileSync(join(directory, 'clickhouse-password'), platform.clickhousePassword);
  const child = spawn(process.execPath, [main], {
    env: {
      ...env,
      TRIBUTARY_API_PORT: String(port),
      TRIBUTARY_CLICKHOUSE_URL: platform.clickhouseUrl,
      TRIBUTARY_CLICKHOUSE_DATABASE: database,
    },
    stdio: ['ignore', process.env.TRIBUTARY_TEST_LOG ? 'inherit' : 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  await until('the console is ready', async () => (await fetch(`${url}/ready`)).ok);
  return {
    async ask(path) {
      const response = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
      return { status: response.status, body: await response.json() };
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
