import { randomBytes } from 'node:crypto';
import {
  accessSync,
  constants,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { NotPossible } from './not-possible.ts';
import { identify, isRunning, type ProcessIdentity } from './process-identity.ts';

const leastFreeBytes = 2 * 1024 ** 3;

/** Makes the data directory and checks that it can be used. @throws NotPossible */
export function prepareDirectory(directory: string): void {
  try {
    mkdirSync(join(directory, 'logs'), { recursive: true });
    mkdirSync(join(directory, 'run'), { recursive: true });
    accessSync(directory, constants.W_OK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new NotPossible(`cannot write to ${directory} (${code}); set TRIBUTARY_DATA to a directory of yours`);
  }
  const { bavail, bsize } = statfsSync(directory);
  const freeGib = (bavail * bsize) / 1024 ** 3;
  if (bavail * bsize < leastFreeBytes)
    throw new NotPossible(
      `only ${freeGib.toFixed(1)} GiB are free for ${directory}, 2 GiB are needed; free some or set TRIBUTARY_DATA`,
    );
}

/** The text of a secret file, made from 32 random bytes the first time; only its owner can read it. */
export function ensureSecretFile(file: string): void {
  try {
    readFileSync(file);
    return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  // Complete or not there at all: half a secret would be taken for one.
  const part = `${file}.part-${process.pid}`;
  writeFileSync(part, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  renameSync(part, file);
}

/** Takes a data directory for this process. @returns how to give it back. @throws NotPossible naming who has it. */
export function lockDirectory(directory: string): () => void {
  const lock = join(directory, 'lock');
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, JSON.stringify(identify(process.pid)));
  try {
    for (let tries = 0; ; tries++) {
      try {
        // A link appears with its content, and only where there is none.
        linkSync(mine, lock);
        return () => rmSync(lock, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries === 3) throw error;
      }
      removeIfStale(lock, directory);
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

function removeIfStale(lock: string, directory: string): void {
  const holder = readHolder(lock);
  if (holder && isRunning(holder))
    throw new NotPossible(
      `${directory} is in use by process ${holder.pid}; stop it, or set TRIBUTARY_DATA to another directory`,
    );
  const aside = `${lock}.stale-${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch {
    return;
  }
  // Between the look and the move somebody else may have taken it: then what was moved is theirs, and goes back.
  const moved = readHolder(aside);
  if (moved && isRunning(moved)) linkSync(aside, lock);
  rmSync(aside, { force: true });
}

function readHolder(lock: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
