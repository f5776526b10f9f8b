import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { identify } from '../../../deploy/local/process-identity.ts';
import { environmentFor, startPlatform } from '../../support/platform.ts';
import { until } from '../../support/until.ts';

const local = join(import.meta.dirname, '..', '..', '..', 'deploy', 'local');
const dataDir = mkdtempSync(join(tmpdir(), 'tributary-supervisor-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

describe('a supervisor that is killed with kill -9', () => {
  const portBase = 20_000 + (process.pid % 1_000) * 10;

  async function startAndKill(): Promise<number[]> {
    const script = join(import.meta.dirname, 'platform-process.ts');
    const supervisor = spawn(process.execPath, [script, dataDir, String(portBase)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(supervisor.stdout), 'line')) as [string];
    supervisor.kill('SIGKILL');
    await once(supervisor, 'exit');
    return JSON.parse(line) as number[];
  }

  it('does not keep the next one from starting at once, on the same ports and data', async () => {
    const orphans = await startAndKill();
    expect(orphans.length).toBe(2);
    const next = await startPlatform({ parts: ['kafka', 'clickhouse'], dataDir, portBase });
    try {
      expect(next.platform.units().map(({ state }) => state)).toEqual(['ready', 'ready']);
      for (const pid of orphans) expect(identify(pid)).toBeUndefined();
    } finally {
      await next.stop();
    }
  });

  it('leaves no process behind, even if nobody starts it again', async () => {
    const orphans = await startAndKill();
    while (orphans.some((pid) => identify(pid))) await sleep(100);
  });
});

describe('npm start', () => {
  let taken: ReturnType<typeof createServer>;
  let port: number;
  beforeAll(async () => {
    taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    port = (taken.address() as { port: number }).port;
  });
  afterAll(() => taken?.close());

  const run = (script: string, args: readonly string[], env = {}) =>
    new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      const options = { env: { ...process.env, ...env } };
      execFile(process.execPath, [join(local, script), ...args], options, (error, stdout, stderr) =>
        resolve({ code: error ? error.code : 0, stdout, stderr }),
      );
    });

  it('ends with code 2 and one line when a port is taken', async () => {
    const env = { TRIBUTARY_API_PORT: String(port) };
    const { code, stderr } = await run('supervisor.ts', ['--data', dataDir, '--collector-port', '0'], env);
    expect(stderr).toContain(`tributary: port ${port} is taken; set TRIBUTARY_API_PORT to another\n`);
    expect(code).toBe(2);
  });

  it('ends with code 2 and one line when Java is missing', async () => {
    const { code, stderr } = await run('start.mjs', ['--data', dataDir], { JAVA_HOME: '/nowhere' });
    expect(stderr).toBe(
      'tributary: Java is missing (no /nowhere/bin/java); install Java 17 or later, or set JAVA_HOME to it\n',
    );
    expect(code).toBe(2);
  });

  it('ends with code 2 and one line when Maven is missing and needed', async () => {
    const env = { PATH: dataDir, TRIBUTARY_PLATFORM_CACHE: join(dataDir, 'no-jars'), JAVA_HOME: await javaHome() };
    const { code, stderr } = await run('start.mjs', ['--data', dataDir], env);
    expect(stderr).toBe(
      'tributary: Maven is missing (no mvn on the PATH); install Maven 3.6 or later, it fetches Kafka once\n',
    );
    expect(code).toBe(2);
  });

  it('explains every setting', async () => {
    const { code, stdout } = await run('supervisor.ts', ['--help']);
    for (const word of [
      '--once',
      '--no-sample',
      '--data',
      'TRIBUTARY_COLLECTOR_PORT',
      'TRIBUTARY_KAFKA_SASL_MECHANISM',
    ])
      expect(stdout).toContain(word);
    expect(code).toBe(0);
  });

  it('refuses a flag that it does not know', async () => {
    const { code, stderr } = await run('supervisor.ts', ['--no-smaple']);
    expect([code, stderr]).toEqual([2, 'tributary: --no-smaple: no such flag\n']);
  });
});

it('what needs packages says in one line what to do without them', async () => {
  const clone = join(dataDir, 'clone');
  cpSync(join(local, '..', '..', 'bin'), join(clone, 'bin'), { recursive: true });
  for (const file of ['install.mjs', 'require-packages.mjs'])
    cpSync(join(local, file), join(clone, 'deploy', 'local', file));
  const line = 'tributary: packages are missing; run npm start or npm test first, both install them\n';
  for (const script of ['bin/tributary.mjs', 'deploy/local/require-packages.mjs']) {
    const { status, stderr } = spawnSync(process.execPath, [join(clone, script)], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([2, line]);
  }
});

describe('npm start with a sample', () => {
  /** A supervisor in a directory and on ports of its own, and all that it says. */
  async function begin(args: readonly string[], directory: string) {
    const small = { TRIBUTARY_SAMPLE_ROWS: '500', TRIBUTARY_SAMPLE_VISITORS: '5' };
    const env = await environmentFor(directory, { env: small });
    const child = spawn(process.execPath, [join(local, 'supervisor.ts'), ...args], { env });
    const seen = { output: '', code: undefined as number | null | undefined };
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => {
        seen.output += String(data);
      });
    child.once('close', (code) => {
      seen.code = code;
    });
    const ended = once(child, 'close');
    const end = async (signal: NodeJS.Signals) => {
      child.kill(signal);
      await ended;
    };
    onTestFinished(() => end('SIGTERM'));
    return {
      seen,
      env,
      says: (text: string) =>
        until(
          text,
          () => seen.output.includes(text),
          240_000,
          () => seen,
        ),
      end,
    };
  }

  it('goes on without it when it fails, and says what to do', async () => {
    const directory = join(dataDir, 'unfinished');
    mkdirSync(join(directory, 'sample'), { recursive: true });
    const begunAt = Date.now() - 7 * 86_400_000;
    const state = { seed: 1, rows: 500, visitors: 5, begunAt, acknowledged: null, loadMs: null, receiverPort: 0 };
    writeFileSync(join(directory, 'sample', 'state.json'), JSON.stringify({ ...state, sharedSecret: 'x' }));
    const started = await begin([], directory);
    await started.says('runs on');
    expect(started.seen.output).toContain(`it was begun at ${new Date(begunAt).toISOString()} and not finished`);
    expect(started.seen.output).toMatch(/npm start -- --no-sample.*npm start -- --data DIR/);
    const ready = () => fetch(`http://127.0.0.1:${started.env.TRIBUTARY_COLLECTOR_PORT}/ready`);
    await expect.poll(ready, { timeout: 60_000 }).toMatchObject({ status: 200 });
    await started.end('SIGINT');
    expect(started.seen.code).toBe(0);
  }, 400_000);

  it.each([
    ['kafka              starting', 'SIGTERM', 143],
    ['Sending the sample', 'SIGINT', 130],
  ] as const)(
    'that was to end by itself says so when it is interrupted at "%s"',
    async (moment, signal, code) => {
      const started = await begin(['--once'], join(dataDir, signal));
      await started.says(moment);
      await started.end(signal);
      expect(started.seen.code, started.seen.output).toBe(code);
    },
    400_000,
  );
});

async function javaHome(): Promise<string> {
  const { stderr } = await new Promise<{ stderr: string }>((resolve) => {
    execFile('java', ['-XshowSettings:properties', '-version'], (_error, _stdout, stderr) => resolve({ stderr }));
  });
  return /java\.home = (.+)/.exec(stderr)?.[1] as string;
}
