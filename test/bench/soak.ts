/**
 * `npm run bench:soak`: ten minutes at 2,000 events/s through all services, and whether memory stays flat. Starts a platform of its
 * own in a temporary directory. Nothing is asserted.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { root } from '../../deploy/local/options.ts';
import { startPlatform } from '../support/platform.ts';
import { generateLoad } from './processes.ts';
import { quantile } from './quantile.ts';
import { soakTable } from './report.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '2000' },
    'port-base': { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const minutes = Number(values.minutes);
const rate = Number(values.rate);
if (values.help || !(minutes >= 1) || !(rate > 0)) {
  console.log(`npm run bench:soak [-- --minutes N] [--rate EVENTS]

  --minutes    how long, after a minute of warm-up; 10 by default
  --rate       events a second; 2000 by default
  --port-base  first of nine ports; free ones are picked by default`);
  process.exit(values.help ? 0 : 2);
}

const EVERY_MS = 2_000;
const WARM_UP_SECONDS = 60;
/** How long the last events may take to arrive. */
const SETTLE_MS = 120_000;
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const services = ['provision', 'collector', 'identity-stitcher', 'profile-projector', 'activation', 'console'];

say(
  `load before: ${loadavg()
    .map((one) => one.toFixed(1))
    .join(' ')}; starting everything`,
);
const base = values['port-base'];
const platform = await startPlatform({
  services,
  ...(base === undefined ? {} : { portBase: Number(base) }),
});
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void platform.stop().finally(() => process.exit(1)));

/** Memory of every process, sample by sample. */
const memory = new Map<string, number[]>();
const units = () => platform.platform.units().filter(({ kind }) => kind === 'service');
const samplesAMinute = 60_000 / EVERY_MS;

/**
 * Bytes of a process's own. Pages of files that it has mapped (LMDB) are left out: they are as many as the state on disk is large, and
 * the kernel takes them back when somebody needs the memory.
 */
function ownBytes(pid: number): number {
  try {
    return 1024 * Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** The books as `tributary status` has them. */
async function books(): Promise<{ readonly text: string; readonly balanced: boolean }> {
  const env = { ...platform.env, PATH: process.env.PATH };
  const status = [join(root, 'bin', 'tributary.mjs'), 'status'];
  const { stdout } = await promisify(execFile)(process.execPath, status, { env }).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
  );
  return { text: stdout.slice(Math.max(0, stdout.indexOf('books'))), balanced: stdout.includes('the books balance') };
}

try {
  say(`${rate} events/s for ${minutes} minutes after a minute of warm-up`);
  let measuring = false;
  const sampling = setInterval(() => {
    if (!measuring) return;
    const now = units().map(({ name, pid }) => ({ name, bytes: pid === undefined ? 0 : ownBytes(pid) }));
    for (const { name, bytes } of now) memory.set(name, [...(memory.get(name) ?? []), bytes]);
    const samples = memory.get('kafka')?.length ?? 0;
    if (samples % samplesAMinute === 0)
      say(
        `${samples / samplesAMinute} min: ${now.map(({ name, bytes }) => `${name} ${Math.round(bytes / 1e6)}`).join(', ')} MB`,
      );
  }, EVERY_MS);
  const report = await generateLoad(
    {
      port: platform.platform.settings.collectorPort,
      connections: 16,
      batch: 20,
      name: 'soak',
      firstPerson: 1,
      warmUpSeconds: WARM_UP_SECONDS,
      seconds: minutes * 60,
      rate,
    },
    {
      begin: () => {
        measuring = true;
      },
      end: () => {
        measuring = false;
      },
    },
  );
  clearInterval(sampling);
  const end = performance.now() + SETTLE_MS;
  let now = await books();
  while (!now.balanced && performance.now() < end) {
    await sleep(2_000);
    now = await books();
  }
  const median = (samples: readonly number[]): number =>
    quantile(
      [...samples].sort((a, b) => a - b),
      0.5,
    );
  const rows = [...memory].map(([name, samples]) => ({
    name,
    samples,
    first: median(samples.slice(0, samplesAMinute)),
    last: median(samples.slice(-samplesAMinute)),
  }));
  const restarts = units().reduce((sum, unit) => sum + unit.restarts, 0);
  console.log(
    `\n${minutes} minutes at ${rate} events/s: ${report.accepted} events acknowledged, ${report.refused} requests refused, ${restarts} restarts; answers p50 ${report.p50.toFixed(1)}, p99 ${report.p99.toFixed(1)} ms`,
  );
  console.log(
    `load after: ${loadavg()
      .map((one) => one.toFixed(1))
      .join(' ')}\n`,
  );
  console.log(soakTable(rows));
  console.log(now.text);
} finally {
  await platform.stop();
}
process.exit(0);
