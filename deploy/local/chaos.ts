/**
 * `npm run demo:chaos`: the sample once more, while processes are killed with `kill -9` in the middle of it. Exit code 0 when the
 * profiles are nevertheless those of a fold without trouble, and the books balance.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatDigest } from '#shared/profiles/digest.ts';
import { readSecret } from '#shared/service/start-up.ts';
import { NotPossible } from './not-possible.ts';
import { Platform } from './platform.ts';
import { answersHttp, isPortFree } from './probes.ts';
import { isRunning, type ProcessIdentity } from './process-identity.ts';
import { outcomesOf, sum } from './sample/books.ts';
import { compareWithReference } from './sample/compare.ts';
import { Progress } from './sample/progress.ts';
import { closeSample, loadSample, openSample, settleSample } from './sample/run.ts';

const everyone = [
  'collector',
  'identity-stitcher',
  'profile-projector',
  'activation',
  'console',
  'clickhouse',
  'registry',
  'kafka',
  'supervisor',
] as const;
type Victim = (typeof everyone)[number];
const shortNames: Readonly<Record<string, Victim>> = {
  stitcher: 'identity-stitcher',
  projector: 'profile-projector',
  api: 'console',
};

const usage = `npm run demo:chaos [-- --kill NAME] [--data DIR]

  --kill NAME  ${everyone.join(', ')}; may be given more than once; each in turn by default
  --data DIR   where to keep the data; else a temporary directory that is removed`;

const READY_WITHIN_MS = 180_000;
const progress = new Progress(process.stdout);

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const { victims, rest } = victimsIn(argv);
  const isTemporary = !rest.some((word) => word === '--data' || word.startsWith('--data='));
  const directory = isTemporary ? mkdtempSync(join(tmpdir(), 'tributary-chaos-')) : undefined;
  const platformArgv = directory ? [...rest, '--data', directory] : rest;
  // Not started: it only says where everything is.
  const platform = new Platform({ settings: Platform.settingsFrom(process.env, platformArgv), env: process.env });
  const supervised = new Supervised(platform, platformArgv);
  const interrupted = new Promise<number>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => resolve(128 + constants.signals[signal]));
  });
  try {
    const ended = supervised.start().then(() => underFire(platform, supervised, victims));
    return await Promise.race([ended, interrupted]);
  } finally {
    progress.say('stopping the platform');
    await supervised.stop();
    if (directory) rmSync(directory, { recursive: true, force: true });
  }
}

async function underFire(platform: Platform, supervised: Supervised, victims: readonly Victim[]): Promise<number> {
  const sample = await openSample(platform);
  const { expected } = sample;
  if (sample.state.acknowledged !== null) throw new NotPossible(`${platform.directory} holds the sample already`);
  progress.say(`Sending the sample (${expected.sent} events); kill -9 of ${victims.join(', ')} on the way.`);

  const threshold = (index: number): number => (expected.sent * (index + 1)) / (victims.length + 1);
  let struck = 0;
  let sent = 0;
  let recovery: Promise<void> | undefined;
  let failure: Error | undefined;
  const strikeNext = (): void => {
    const victim = victims[struck++] as Victim;
    recovery = supervised.killAndAwait(victim, sent).then(
      () => {
        recovery = undefined;
      },
      (error: Error) => {
        failure = error;
        recovery = undefined;
      },
    );
  };
  await loadSample(
    sample,
    (acknowledged) => {
      sent = acknowledged;
      progress.show(`sent ${sent} of ${expected.sent}`);
      if (struck < victims.length && sent >= threshold(struck) && !recovery) strikeNext();
    },
    // One at a time: the next part of the sample waits for whoever was killed before.
    () => (sent >= threshold(struck) ? recovery : undefined),
  );
  await recovery;
  if (failure) throw failure;

  const { findings, problems, feed } = await settleSample(sample, progress);
  progress.say('Folding the same events once more, in one process and without trouble.');
  const secret = readSecret({ secretFile: '', dataDirectory: platform.directory });
  const { reference, differing } = await compareWithReference(sample.installation, feed, secret);
  const outcomes = outcomesOf(findings.books, 'resolver', `${findings.prefix}events.collected`);
  const again = findings.received.requests - findings.received.keys;
  const lines = [
    '',
    `  killed       ${victims.slice(0, struck).join(', ')}`,
    `  accepted     ${findings.books.collected} = stitched ${outcomes.stitched ?? 0} + duplicates ${outcomes.duplicate ?? 0} + rejected ${outcomes.rejected ?? 0}; ${expected.distinct} distinct were sent, and what was in doubt was sent again`,
    `  deliveries   ${sum([...findings.books.deliveries.values()])} in the ledger, ${findings.received.keys} at the receiver, ${again} of them again with the same key`,
    `  feed         ${feed.versions} versions of ${feed.profiles.size} profiles, ${feed.unevenVersions.length} with a gap or a repetition`,
    `  profiles     digest ${formatDigest(feed.digest)} of ${feed.profiles.size}`,
    `  without kill digest ${formatDigest(reference.digest)} of ${reference.profiles.size}`,
    '',
  ];
  const all = [
    ...problems,
    ...differing.slice(0, 10).map((id) => `profile ${id} differs from the fold without trouble`),
  ];
  if (feed.digest !== reference.digest && differing.length === 0) all.push('the digests differ');
  if (struck < victims.length) all.push(`only ${struck} of ${victims.length} were killed`);
  lines.push(...(all.length === 0 ? ['Equal profiles, balanced books.'] : ['NOT as it must be:', ...all]), '');
  progress.say(lines.join('\n'));
  await closeSample(sample);
  return all.length === 0 ? 0 : 1;
}

function victimsIn(argv: readonly string[]): { victims: readonly Victim[]; rest: string[] } {
  const victims: Victim[] = [];
  const rest: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] as string;
    if (word !== '--kill' && !word.startsWith('--kill=')) {
      rest.push(word);
      continue;
    }
    const name = word === '--kill' ? (argv[++i] ?? '') : word.slice('--kill='.length);
    const victim = shortNames[name] ?? everyone.find((one) => one === name);
    if (!victim) throw new NotPossible(`--kill ${name}: there is no such process; there are ${everyone.join(', ')}`);
    victims.push(victim);
  }
  return { victims: victims.length > 0 ? victims : everyone, rest };
}

/** The platform under a supervisor of its own, as `npm start` has it, seen from outside. */
class Supervised {
  readonly #platform: Platform;
  readonly #argv: readonly string[];
  #supervisor: ChildProcess | undefined;
  #isStopping = false;

  constructor(platform: Platform, argv: readonly string[]) {
    this.#platform = platform;
    this.#argv = argv;
  }

  async start(): Promise<void> {
    if (this.#isStopping) throw new Error('stopping');
    const script = join(import.meta.dirname, 'supervisor.ts');
    const child = spawn(process.execPath, [script, '--no-sample', ...this.#argv], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#supervisor = child;
    child.stdout.on('data', (data: Buffer) => {
      for (const line of String(data).split('\n'))
        if (/^\S+ +(starting|ready|restarting|failed)/.test(line)) progress.say(`  ${line}`);
    });
    await this.#untilReady();
  }

  async killAndAwait(victim: Victim, sent: number): Promise<void> {
    const began = performance.now();
    const pid = victim === 'supervisor' ? this.#supervisor?.pid : this.#processes().get(victim)?.pid;
    if (pid === undefined) throw new Error(`${victim} does not run`);
    progress.say(`kill -9 ${victim} (process ${pid}), ${sent} events sent`);
    if (victim === 'supervisor') {
      const left = [...this.#processes().values()];
      const ended = this.#ended();
      process.kill(pid, 'SIGKILL');
      await ended;
      while (left.some(isRunning)) await sleep(100);
      await this.start();
    } else {
      process.kill(pid, 'SIGKILL');
      while ((this.#processes().get(victim)?.pid ?? pid) === pid) await this.#patience(began, victim);
      await this.#untilReady();
    }
    progress.say(`${victim} is back after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
  }

  /** Waits as well for what a killed supervisor has left to its watchdog, and lets no other start. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const ended = this.#ended();
    this.#supervisor?.kill('SIGTERM');
    await ended;
    while (this.#processes().size > 0) await sleep(100);
  }

  async #untilReady(): Promise<void> {
    const began = performance.now();
    const s = this.#platform.settings;
    const ports = [s.collectorPort, s.apiPort, s.stitcherOpsPort, s.projectorOpsPort, s.activationOpsPort];
    const urls = [
      ...ports.map((port) => `http://127.0.0.1:${port}/ready`),
      `${this.#platform.env().TRIBUTARY_CLICKHOUSE_URL}/ping`,
      `${this.#platform.env().TRIBUTARY_REGISTRY_URL}/subjects`,
    ];
    if (s.kafkaBrokers.length === 0) while (await isPortFree(s.kafkaPort)) await this.#patience(began, 'kafka');
    for (const url of urls) while (!(await answersHttp(url).catch(() => false))) await this.#patience(began, url);
  }

  async #patience(began: number, what: string): Promise<void> {
    if (this.#supervisor?.exitCode !== null) throw new Error('the supervisor has ended; see above');
    if (performance.now() - began > READY_WITHIN_MS) throw new Error(`${what}: not back within ${READY_WITHIN_MS} ms`);
    await sleep(100);
  }

  #ended(): Promise<void> {
    const child = this.#supervisor;
    if (!child || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => child.once('exit', () => resolve()));
  }

  /** What the supervisor has started, by name. */
  #processes(): Map<string, ProcessIdentity> {
    const found = new Map<string, ProcessIdentity>();
    const folder = join(this.#platform.directory, 'run');
    if (!existsSync(folder)) return found;
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      try {
        const child = JSON.parse(readFileSync(join(entry.parentPath, entry.name), 'utf8')) as ProcessIdentity;
        if (isRunning(child)) found.set(entry.name, child);
      } catch {
        // Being written, or just removed: the next look will tell.
      }
    }
    return found;
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = error instanceof NotPossible ? 2 : 1;
  process.stderr.write(`tributary: ${error instanceof Error ? error.message : String(error)}\n`);
}
process.exit();
