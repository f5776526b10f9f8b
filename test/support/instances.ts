import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compiled } from '../../deploy/local/services.ts';
import { freePorts } from './free-ports.ts';
import { Hopeless, until } from './until.ts';

const root = join(import.meta.dirname, '..', '..');

/** A service in a process of its own, with a disk of its own: any number of the same one may run beside each other. */
export class Instance {
  readonly service: string;
  readonly url: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #log: string;
  #child: ChildProcess | undefined;

  private constructor(service: string, directory: string, port: number, env: Readonly<Record<string, string>>) {
    this.service = service;
    this.url = `http://127.0.0.1:${port}`;
    this.#log = join(directory, 'log');
    this.#env = {
      PATH: process.env.PATH,
      ...compiled,
      ...env,
      TRIBUTARY_DATA: directory,
      TRIBUTARY_LOG_LEVEL: 'warn',
      TRIBUTARY_OPS_PORT: String(port),
      TRIBUTARY_COLLECTOR_PORT: String(port),
    };
  }

  /** @param env where the platform is; with the file of its secret */
  static async start(service: string, directory: string, env: Readonly<Record<string, string>>): Promise<Instance> {
    mkdirSync(directory, { recursive: true });
    const [port] = await freePorts(1);
    const instance = new Instance(service, directory, port as number, env);
    instance.#spawn();
    await until(`${service} is ready`, () => instance.#isReady());
    return instance;
  }

  /** `kill -9`, and at once a process in its place, with the same disk. */
  async killAndReplace(): Promise<void> {
    await this.#end('SIGKILL');
    this.#spawn();
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  #spawn(): void {
    const output = openSync(this.#log, 'a');
    this.#child = spawn(process.execPath, [join(root, 'services', this.service, 'main.ts')], {
      cwd: root,
      env: this.#env,
      stdio: ['ignore', output, output],
    });
  }

  async #isReady(): Promise<boolean> {
    if (this.#child?.exitCode !== null) throw new Hopeless(`${this.service} ended: ${readFileSync(this.#log, 'utf8')}`);
    return (await fetch(`${this.url}/ready`)).ok;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}
