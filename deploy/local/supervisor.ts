import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { helpText } from '#shared/service/options.ts';
import { NotPossible } from './not-possible.ts';
import { localOptions } from './options.ts';
import { Platform } from './platform.ts';
import { Screen } from './screen.ts';
import { welcome } from './welcome.ts';

/** What `deploy/local/sample.ts` exports: loads the sample and says what became of it. @returns an exit code. */
export type RunSample = (
  platform: Platform,
  options: { readonly once: boolean; readonly startedMs: number },
) => Promise<number>;

const usage = `npm start -- [--once] [--no-sample] [--data DIR]

  --once       load the sample, print what became of it, stop; exit code 0 when the books balance
  --no-sample  start the platform without the sample`;

/** One Ctrl-C can arrive twice: from the terminal, and passed on by npm. */
const doubledMs = 1_000;

const argv = process.argv.slice(2);
if (argv.includes('--help') || argv.includes('-h')) {
  process.stdout.write(helpText(usage, localOptions));
  process.exit(0);
}
const once = argv.includes('--once');
const withSample = !argv.includes('--no-sample');
const began = performance.now();

let exitCode = 0;
let complaint = '';
let platform: Platform | undefined;
let screen: Screen | undefined;
try {
  const settings = Platform.settingsFrom(
    process.env,
    argv.filter((word) => word !== '--once' && word !== '--no-sample'),
  );
  const running = new Platform({ settings, env: process.env, say: (line) => screen?.say(line) });
  const view = new Screen(process.stdout, running);
  platform = running;
  screen = view;
  const asked = new Promise<'asked'>((resolve) => {
    let firstAt: number | undefined;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (firstAt === undefined) {
          firstAt = performance.now();
          // What was to end by itself, and did not get there, has not succeeded.
          if (once) exitCode = 128 + constants.signals[signal];
          view.resume();
          view.say('stopping (Ctrl-C once more: at once)');
          void running.stop();
          resolve('asked');
        } else if (performance.now() - firstAt > doubledMs) {
          for (const { name } of running.units()) running.kill(name, 'SIGKILL');
          process.exit(130);
        }
      });
    }
  });
  const ready = await Promise.race([running.start(), asked]);
  if (ready !== 'asked') {
    const startedMs = performance.now() - began;
    view.say(`\nTributary is ready after ${(startedMs / 1_000).toFixed(1)} s.`);
    if (!once) view.say(welcome(running));
    const sample = withSample ? await loadSample() : undefined;
    if (sample) {
      view.pause();
      const outcome = await Promise.race([sample(running, { once, startedMs }).catch(sampleFailed), asked]);
      view.resume();
      if (outcome instanceof Error) {
        if (once) throw outcome;
        view.say(`\n${outcome.message}\n\nEverything else runs on. Ctrl-C stops it.\n`);
      } else if (outcome !== 'asked') {
        if (once) exitCode = outcome;
        else view.say('Everything runs on: docs/quickstart.md says what to do with it. Ctrl-C stops it.\n');
      }
    }
    if (!once) await asked;
  }
} catch (error) {
  // Stopped on request in the middle of the start: not an error.
  if (!platform?.isStopping) {
    exitCode = error instanceof NotPossible ? 2 : 1;
    complaint = messageOf(error);
  }
}
await platform?.stop();
screen?.end();
// Last, or the table would be drawn over it.
if (complaint) for (const line of complaint.split('\n')) process.stderr.write(`tributary: ${line}\n`);
process.exit(exitCode);

async function loadSample(): Promise<RunSample | undefined> {
  const file = join(import.meta.dirname, 'sample.ts');
  if (!existsSync(file)) return undefined;
  const { runSample } = (await import(file)) as { readonly runSample: RunSample };
  return runSample;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The sample is an extra: a platform that runs does not stop for it. */
function sampleFailed(error: unknown): Error {
  return new Error(`The sample failed: ${messageOf(error)}
Two ways out: leave it out (npm start -- --no-sample), or start in an empty directory (npm start -- --data DIR).`);
}
