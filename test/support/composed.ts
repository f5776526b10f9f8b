import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Platform } from '../../deploy/local/platform.ts';
import { hasComposePlugin } from './compose-file.ts';
import { copyProject } from './copy-project.ts';
import { freePorts } from './free-ports.ts';
import { until } from './until.ts';

const execute = promisify(execFile);
const ports = ['COLLECTOR', 'API', 'KAFKA', 'REGISTRY', 'CLICKHOUSE', 'ACTIVATION_OPS'] as const;
/** Compose 2, or the program that Compose 1 was. */
const compose = hasComposePlugin() ? 'docker compose' : 'docker-compose';
const HEALTHY_WITHIN_MS = 240_000;

/** Of a container, as far as `docker inspect` is asked. */
export interface Inspected {
  readonly State: { readonly Status: string; readonly ExitCode: number; readonly Health?: { readonly Status: string } };
  readonly Config: { readonly Labels: Readonly<Record<string, string>>; readonly Env: readonly string[] };
  readonly HostConfig: { readonly ReadonlyRootfs: boolean; readonly Memory: number; readonly CapDrop: string[] | null };
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>>;
  };
  readonly RestartCount: number;
  /** Id of its image. */
  readonly Image: string;
}

/** Healthy, or the one-shot job, ended well: as long as that runs its exit code is 0, too. */
const isAsItShould = ({ State: { Status, ExitCode, Health } }: Inspected): boolean =>
  Health ? Status === 'running' && Health.Status === 'healthy' : Status === 'exited' && ExitCode === 0;

export const serviceOf = ({ Config }: Inspected): string => Config.Labels['com.docker.compose.service'] ?? '';

/** An installation by docker-compose.yml, in a fresh copy of the project, with ports and a name of its own. */
export class Composed {
  readonly directory: string;
  /** Not started here: it only says where everything is. */
  readonly platform: Platform;
  readonly #env: NodeJS.ProcessEnv;
  #files: readonly string[] = ['docker-compose.yml'];

  private constructor(directory: string, env: NodeJS.ProcessEnv) {
    this.directory = directory;
    this.#env = env;
    this.platform = new Platform({ settings: Platform.settingsFrom(env), env });
  }

  static async create(): Promise<Composed> {
    const directory = mkdtempSync(join(tmpdir(), 'tributary-composed-'));
    copyProject(directory);
    const env: NodeJS.ProcessEnv = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      COMPOSE_PROJECT_NAME: `tributarytest${randomBytes(4).toString('hex')}`,
      TRIBUTARY_IMAGE: 'tributary:test',
      TRIBUTARY_DATA: join(directory, '.tributary-compose'),
    };
    const free = await freePorts(ports.length);
    ports.forEach((port, i) => {
      env[`TRIBUTARY_${port}_PORT`] = String(free[i]);
    });
    return new Composed(directory, env);
  }

  /** Further files beside docker-compose.yml, from the next `up` on. */
  with(...files: readonly string[]): void {
    this.#files = ['docker-compose.yml', ...files];
  }

  /** Runs a program in the copy. @returns what it printed @throws when it fails */
  async run(program: string, ...args: readonly string[]): Promise<string> {
    const env = { ...this.#env, COMPOSE_FILE: this.#files.join(':') };
    const { stdout } = await execute(program, args, { cwd: this.directory, env, maxBuffer: 64 * 1024 * 1024 }).catch(
      (error: Error & { stdout?: string; stderr?: string }) => {
        throw new Error(`${program} ${args.join(' ')}: ${error.stdout}\n${error.stderr}`);
      },
    );
    return stdout;
  }

  compose(...args: readonly string[]): Promise<string> {
    return this.run('sh', '-c', `${compose} "$@"`, 'compose', ...args);
  }

  /** `docker compose up -d`; resolves when every container is healthy, and the one-shot job has succeeded. */
  async up(...args: readonly string[]): Promise<void> {
    await this.compose('up', '-d', ...args);
    await this.healthy();
  }

  async healthy(): Promise<void> {
    let unhealthy: string[] = [];
    const areHealthy = async (): Promise<boolean> => {
      unhealthy = (await this.containers())
        .filter((one) => !isAsItShould(one))
        .map((one) => `${serviceOf(one)} ${one.State.Status} ${one.State.Health?.Status ?? one.State.ExitCode}`);
      return unhealthy.length === 0;
    };
    await until('all containers are healthy', areHealthy, HEALTHY_WITHIN_MS, () => unhealthy);
  }

  /** Containers, also those that have ended. */
  async containers(): Promise<Inspected[]> {
    const ids = (await this.compose('ps', '-aq')).split('\n').filter(Boolean);
    return ids.length === 0 ? [] : (JSON.parse(await this.run('docker', 'inspect', ...ids)) as Inspected[]);
  }

  /** Names of the volumes that hold its data. */
  async volumes(): Promise<string[]> {
    const ours = `label=com.docker.compose.project=${this.#env.COMPOSE_PROJECT_NAME}`;
    return (await this.run('docker', 'volume', 'ls', '-q', '--filter', ours)).split('\n').filter(Boolean);
  }

  /** As if a new version had been checked out; the next `up --build` makes and takes it. */
  async newVersion(): Promise<void> {
    this.#env.TRIBUTARY_IMAGE = 'tributary:test-next';
    appendFileSync(join(this.directory, 'deploy', 'provision.ts'), '\n// The next version.\n');
  }

  /** The operator's tool. @throws where it ends with another exit code than 0 */
  async tributary(...args: readonly string[]): Promise<string> {
    return this.compose('exec', '-T', 'console', 'tributary', ...args);
  }

  /**
   * The books that `tributary status` tells. It ends with 1 as long as any service is not ready, and on a busy machine one takes partitions
   * over now and then: the books are the same. None as long as Kafka or ClickHouse does not answer.
   */
  async books(): Promise<unknown> {
    const asked = await this.compose('exec', '-T', 'console', 'sh', '-c', 'tributary status --json || [ $? -eq 1 ]');
    return (JSON.parse(asked) as { readonly books?: unknown }).books;
  }

  /** Puts the definitions of the local platform in force: sources, purposes, identity rules. */
  async applyLocalDefinitions(): Promise<void> {
    const file = join(this.directory, 'deploy', 'local', 'definitions.yaml');
    await this.run('sh', '-c', `${compose} exec -T console tributary apply /dev/stdin <'${file}'`);
  }

  secret(name: 'secret' | 'api-token' | 'clickhouse-password'): string {
    return readFileSync(join(this.directory, '.tributary-compose', name), 'utf8').trim();
  }

  /** Made once, like by an operator. */
  async init(): Promise<void> {
    await this.run('sh', 'deploy/docker/init.sh');
    // What is in the environment is stronger; in the file for the scripts' and the reader's sake.
    appendFileSync(join(this.directory, '.env'), `COMPOSE_PROJECT_NAME=${this.#env.COMPOSE_PROJECT_NAME}\n`);
  }

  async forgetSecrets(): Promise<void> {
    await this.run('rm', '-r', '.env', '.tributary-compose');
  }

  async remove(): Promise<void> {
    await this.compose('down', '--volumes', '--timeout', '5').catch(() => undefined);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
