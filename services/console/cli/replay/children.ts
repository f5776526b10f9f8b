import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { constants, setPriority } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BackOff } from '#shared/service/back-off.ts';
import { LogFile } from '#shared/service/log-file.ts';

const services = resolve(import.meta.dirname, '..', '..', '..');
const endWithParent = fileURLToPath(new URL('./end-with-parent.ts', import.meta.url));

/** Events of history live for as long as a slice does: with less room for what is new most of them would be copied before they die. */
export const nodeFlags = ['--max-semi-space-size=128'] as const;

/** A child that ran for so long was not in the same trouble as before. */
const STEADY_MS = 30_000;
/** So long a child that was told to stop may take. */
const GRACE_MS = 20_000;
/** With this a service ends that was set up wrongly: it would do so again. */
const SETTINGS_ARE_WRONG = 2;

export interface ChildrenOptions {
  /** Folders of `services`. */
  readonly names: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** File of its log. */
  readonly logOf: (name: string) => string;
  /** Told where it serves metrics, each time it is started. */
  readonly onStart: (name: string, pid: number | undefined, address: string) => void;
  /** Told why it ended without having been told to; it is started again. */
  readonly onEnd: (name: string, why: string) => void;
}

/** Runs services as children, with less of the machine than others have, and starts again what dies. None outlives this process. */
export class Children {
  readonly #options: ChildrenOptions;
  readonly #stopping = new AbortController();
  readonly #running = new Set<ChildProcess>();
  readonly #all: Promise<void>;

  constructor(options: ChildrenOptions) {
    this.#options = options;
    // Children are born with their parent's.
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
    this.#all = Promise.all(options.names.map((name) => this.#keep(name))).then(() => undefined);
    this.#all.catch(() => undefined);
  }

  /** Rejects where one of them can never run. Resolves once all have stopped. */
  get done(): Promise<void> {
    return this.#all;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const child of this.#running) child.kill('SIGTERM');
    const late = setTimeout(() => this.kill(), GRACE_MS);
    await this.#all.catch(() => undefined);
    await Promise.all([...this.#running].map((child) => once(child, 'exit')));
    clearTimeout(late);
  }

  /** At once. */
  kill(): void {
    for (const child of this.#running) child.kill('SIGKILL');
  }

  async #keep(name: string): Promise<void> {
    const { signal } = this.#stopping;
    const backOff = new BackOff(500, 30_000);
    while (!signal.aborted) {
      const began = performance.now();
      const { code, why } = await this.#once(name);
      if (signal.aborted) return;
      if (code === SETTINGS_ARE_WRONG) throw new Error(`${name} ${why}`);
      this.#options.onEnd(name, why);
      if (performance.now() - began > STEADY_MS) backOff.succeeded();
      await backOff.failed(signal);
    }
  }

  /** Resolves when it has ended, with how. */
  async #once(name: string): Promise<{ readonly code: number | null; readonly why: string }> {
    const { env, logOf, onStart } = this.#options;
    const port = await freePort();
    const log = new LogFile(logOf(name));
    mkdirSync(join(log.path, '..'), { recursive: true });
    log.rotate();
    const output = log.open();
    const child = spawn(process.execPath, [...nodeFlags, '--import', endWithParent, join(services, name, 'main.ts')], {
      env: { ...env, TRIBUTARY_OPS_PORT: String(port) },
      // A group of its own: Ctrl-C on the terminal is for this process, which tells its children.
      detached: true,
      stdio: ['ignore', output, output, 'ipc'],
    });
    closeSync(output);
    this.#running.add(child);
    if (this.#stopping.signal.aborted) child.kill('SIGTERM');
    onStart(name, child.pid, `http://127.0.0.1:${port}`);
    try {
      const [code, by] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
      const complaint = by ? '' : log.complaint();
      return { code, why: `ended (${by ?? `exit code ${code}`})${complaint ? `: ${complaint}` : ''}` };
    } catch (error) {
      return { code: null, why: `could not be started: ${(error as Error).message}` };
    } finally {
      this.#running.delete(child);
    }
  }
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
