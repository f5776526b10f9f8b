import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isRunning, type ProcessIdentity } from './process-identity.ts';

/** What is ended after all others: they finish the batch in hand, and leave their groups, while it still answers. */
export const LAST = 'kafka';

/**
 * Which processes a supervisor has started, on disk: a supervisor that is killed leaves them running, and the next one
 * ends them before it starts its own.
 */
export class Children {
  readonly #all: string;
  readonly #mine: string;

  /** @param directory the data directory; its lock is held. */
  constructor(directory: string) {
    this.#all = join(directory, 'run');
    this.#mine = join(this.#all, `${process.pid}-${identify(process.pid)?.started}`.replaceAll(/[^\w-]/g, '_'));
  }

  /** Ends what a dead supervisor left behind, {@link LAST} last. @returns how many processes that were. */
  async reap(graceMs: number): Promise<number> {
    const left = this.#left();
    await end(
      left.filter(({ name }) => name !== LAST),
      graceMs,
    );
    await end(
      left.filter(({ name }) => name === LAST),
      graceMs,
    );
    rmSync(this.#all, { recursive: true, force: true });
    mkdirSync(this.#mine, { recursive: true });
    return left.length;
  }

  started(name: string, pid: number): void {
    const child = identify(pid);
    if (child) writeFileSync(join(this.#mine, name), JSON.stringify(child));
  }

  ended(name: string): void {
    rmSync(join(this.#mine, name), { force: true });
  }

  /** The folder whose files name this supervisor's children. */
  get folder(): string {
    return this.#mine;
  }

  #left(): (ProcessIdentity & { readonly name: string })[] {
    const left: (ProcessIdentity & { readonly name: string })[] = [];
    for (const entry of readdirSync(this.#all, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      try {
        const child = JSON.parse(readFileSync(join(entry.parentPath, entry.name), 'utf8')) as ProcessIdentity;
        if (isRunning(child)) left.push({ ...child, name: entry.name });
      } catch {
        // Half written when its supervisor died: that child had hardly begun, its port will tell.
      }
    }
    return left;
  }
}

async function end(children: readonly ProcessIdentity[], graceMs: number): Promise<void> {
  for (const child of children) signal(child, 'SIGTERM');
  const deadline = performance.now() + graceMs;
  let alive = children;
  while (alive.length > 0) {
    if (performance.now() > deadline) for (const child of alive) signal(child, 'SIGKILL');
    await sleep(50);
    alive = alive.filter(isRunning);
  }
}

/** To the whole process group: a child is the first of its own. */
export function signal({ pid }: { readonly pid: number }, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch {
    // Gone already.
  }
}
