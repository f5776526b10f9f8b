// What must run before anything is installed: on whatever Node the machine has, built-ins only.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const modules = join(root, 'node_modules');

/** The Node that the project runs on, once installed. */
export const node = join(modules, '.bin', 'node');

export const say = (line) => process.stdout.write(`${line}\n`);

/**
 * Installs what the lock file says, when there are no packages yet or they were installed from another lock file. Not with
 * `npm ci`: it refuses a lock file that lacks other systems' optional packages, and npm 11 behind a registry that does not
 * serve those writes no other.
 */
export async function installPackages() {
  const lock = join(root, 'package-lock.json');
  const wanted = createHash('sha256').update(readFileSync(lock)).digest('hex');
  const marker = join(modules, '.tributary-lock');
  const installed = join(modules, '.package-lock.json');
  if (existsSync(installed)) {
    // Without a marker somebody ran npm by hand; then the younger of the two tells.
    const isCurrent = existsSync(marker)
      ? readFileSync(marker, 'utf8') === wanted || isYounger(installed, marker, lock)
      : isYounger(installed, lock);
    if (isCurrent) {
      if (!existsSync(marker) || readFileSync(marker, 'utf8') !== wanted) writeFileSync(marker, wanted);
      return;
    }
  }
  say('installing packages with npm (once, a minute or two)');
  const npm = process.env.npm_execpath;
  const install = ['install', '--no-save', '--no-audit', '--no-fund', '--include=dev', '--loglevel=error'];
  const code = npm ? await run(process.execPath, [npm, ...install]) : await run('npm', install);
  if (code !== 0) throw new Error(`npm install failed (exit code ${code}); what it says above tells why`);
  writeFileSync(marker, wanted);
}

function isYounger(file, ...others) {
  return others.every((other) => statSync(file).mtimeMs >= statSync(other).mtimeMs);
}

/** Runs a program as if it were this one: same terminal, signals passed on. @returns its exit code. */
export function run(program, programArgs) {
  return new Promise((done, fail) => {
    const child = spawn(program, programArgs, { cwd: root, stdio: 'inherit' });
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    const passOn = (signal) => child.kill(signal);
    for (const signal of signals) process.on(signal, passOn);
    child.on('error', fail);
    child.on('exit', (code, signal) => {
      for (const name of signals) process.off(name, passOn);
      done(signal ? 128 + constants.signals[signal] : code);
    });
  });
}
