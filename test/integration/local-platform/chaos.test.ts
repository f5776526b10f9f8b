import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { isRunning, type ProcessIdentity } from '../../../deploy/local/process-identity.ts';
import { environmentFor } from '../../support/platform.ts';
import { until } from '../../support/until.ts';

const outside = mkdtempSync(join(tmpdir(), 'tributary-chaos-test-'));
afterAll(() => rmSync(outside, { recursive: true, force: true }));

/** What the supervisors of the platforms in a folder say that they have started. */
function startedIn(folder: string): ProcessIdentity[] {
  return globSync(join(folder, '*', 'run', '*', '*'))
    .map((file) => readFileSync(file, 'utf8'))
    .flatMap((text) => (text === '' ? [] : [JSON.parse(text) as ProcessIdentity]));
}

it.each([
  // As from a terminal that is closed: to all that run in it.
  ['kafka              starting', 'SIGHUP', 'everybody'],
  ['clickhouse         starting', 'SIGTERM', 'npm'],
  ['kill -9 supervisor', 'SIGINT', 'npm'],
] as const)(
  'npm run demo:chaos leaves nothing behind: at "%s" %s to %s',
  async (moment, signal, whom) => {
    const folder = join(outside, signal);
    mkdirSync(folder);
    const small = { TRIBUTARY_SAMPLE_ROWS: '500', TRIBUTARY_SAMPLE_VISITORS: '5', TMPDIR: folder };
    const env = await environmentFor(folder, { env: small });
    const npm = spawn('npm', ['run', 'demo:chaos', '--', '--kill', 'supervisor'], { env, detached: true });
    const ended = once(npm, 'close');
    onTestFinished(async () => {
      npm.kill('SIGTERM');
      await ended;
    });
    let output = '';
    for (const stream of [npm.stdout, npm.stderr])
      stream.on('data', (data: Buffer) => {
        output += String(data);
      });
    await until(
      moment,
      () => output.includes(moment),
      240_000,
      () => output,
    );
    let started: ProcessIdentity[] = [];
    await until('a process that it started', () => {
      started = startedIn(folder);
      return started.some(isRunning);
    });
    process.kill(whom === 'npm' ? (npm.pid as number) : -(npm.pid as number), signal);
    // Closed once the last process that could write to it is gone.
    const [code] = await ended;
    expect(code, output).not.toBe(0);
    expect(started.filter(isRunning)).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.startsWith('tributary-'))).toEqual([]);
  },
  400_000,
);
