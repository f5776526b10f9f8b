import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Platform } from '../../deploy/local/platform.ts';
import { environmentFor } from './platform.ts';

const script = join(import.meta.dirname, '..', '..', 'deploy', 'local', 'supervisor.ts');

/** A platform under a supervisor in a process of its own, as `npm start` has it; always on the same ports and data. */
export class Supervised {
  /** Not started here: it only says where everything is. */
  readonly platform: Platform;
  readonly directory: string;
  readonly #env: NodeJS.ProcessEnv;
  #supervisor: ChildProcess | undefined;

  private constructor(directory: string, env: NodeJS.ProcessEnv) {
    this.directory = directory;
    this.#env = env;
    this.platform = new Platform({ settings: Platform.settingsFrom(env), env });
  }

  static async create(): Promise<Supervised> {
    const directory = mkdtempSync(join(tmpdir(), 'tributary-supervised-'));
    return new Supervised(directory, await environmentFor(directory));
  }

  /** Resolves when all is ready. @param more settings of this start alone */
  async start(more: Readonly<Record<string, string>> = {}): Promise<void> {
    const child = spawn(process.execPath, [script, '--no-sample'], {
      env: { ...this.#env, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#supervisor = child;
    await new Promise<void>((resolve, reject) => {
      let output = '';
      const take = (data: Buffer): void => {
        output = (output + String(data)).slice(-10_000);
        if (output.includes('is ready after')) resolve();
      };
      child.stdout.on('data', take);
      child.stderr.on('data', take);
      child.once('exit', (code) => reject(new Error(`the supervisor ended with ${code}: ${output}`)));
    });
  }

  /** Kills the supervisor with `kill -9`, and nothing else. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** As Ctrl-C would. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#supervisor;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}
