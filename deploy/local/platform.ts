import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LogFile } from '#shared/service/log-file.ts';
import { readOptions } from '#shared/service/options.ts';
import { Children } from './children.ts';
import { clickhouseUnit } from './clickhouse.ts';
import { ensureSecretFile, lockDirectory, prepareDirectory } from './directory.ts';
import { checkExternal } from './external.ts';
import { ensureJars, findJava } from './jars.mjs';
import { kafkaUnit } from './kafka.ts';
import { NotPossible } from './not-possible.ts';
import { localOptions, root, type Settings } from './options.ts';
import { isPortFree } from './probes.ts';
import { residentBytes } from './process-identity.ts';
import { registryUnit } from './registry.ts';
import { serviceUnits } from './services.ts';
import type { Unit } from './unit.ts';
import { UnitRunner } from './unit-runner.ts';
import type { UnitState } from './unit-state.ts';
import { watchOver } from './watchdog.ts';

export const parts = ['kafka', 'registry', 'clickhouse'] as const;
export type Part = (typeof parts)[number];

export interface PlatformOptions {
  readonly settings: Settings;
  /** Passed on to the children, besides the platform's own settings. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Which of the three parts are wanted; all by default. */
  readonly parts?: readonly Part[];
  /** Which units besides the parts are wanted; all by default (`provision`, `collector`, …). */
  readonly services?: readonly string[];
  /** One line about what is done before the first unit starts. */
  readonly say?: (line: string) => void;
}

/** What can be seen of one unit. */
export interface UnitView {
  readonly name: string;
  readonly kind: Unit['kind'];
  readonly state: UnitState['name'];
  /** When it came into this state, milliseconds since the epoch. */
  readonly since: number;
  readonly pid: number | undefined;
  readonly restarts: number;
  /** It has not been started yet: it waits for others. */
  readonly isWaiting: boolean;
  readonly residentBytes: number | undefined;
  /** Why it waits, failed, or last died; else empty. */
  readonly note: string;
}

/** The local platform: Kafka, schema registry, ClickHouse, and the services, as processes under one roof. */
export class Platform {
  readonly settings: Settings;
  /** Absolute path of the data directory. */
  readonly directory: string;
  readonly #options: PlatformOptions;
  #runners: readonly UnitRunner[] = [];
  readonly #listeners = new Set<(unit: UnitView) => void>();
  #unlock: (() => void) | undefined;
  #sendWatchdogHome: (() => void) | undefined;
  #rotation: NodeJS.Timeout | undefined;
  readonly #logs: LogFile[] = [];
  readonly #stopAsked = Promise.withResolvers<void>();
  #isStopping = false;
  #stopping: Promise<void> | undefined;
  #starting: Promise<void> | undefined;
  readonly #external: ReadonlySet<Part>;

  constructor(options: PlatformOptions) {
    this.#options = options;
    this.settings = options.settings;
    this.directory = resolve(root, options.settings.data);
    const { kafkaBrokers, registryUrl, clickhouseUrl } = options.settings;
    const given = { kafka: kafkaBrokers.length > 0, registry: registryUrl !== '', clickhouse: clickhouseUrl !== '' };
    this.#external = new Set(parts.filter((part) => given[part]));
  }

  /** Reads settings as a process does: from the environment and flags. @throws NotPossible listing every mistake. */
  static settingsFrom(env: Readonly<Record<string, string | undefined>>, argv: readonly string[] = []): Settings {
    const result = readOptions(localOptions, env, argv);
    if ('errors' in result) throw new NotPossible(result.errors.join('\n'));
    return result.values;
  }

  /**
   * Resolves when every unit is ready.
   * @throws NotPossible when something that is needed is missing or taken; Error when a unit does not get ready.
   */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    prepareDirectory(this.directory);
    this.#unlock = lockDirectory(this.directory);
    try {
      const children = new Children(this.directory);
      const left = await children.reap(10_000);
      if (left > 0) this.#options.say?.(`ended ${left} processes that an earlier start had left behind`);
      for (const name of ['secret', 'api-token', 'clickhouse-password']) ensureSecretFile(join(this.directory, name));
      await checkExternal(this.settings, this.#external, this.clickhousePasswordFile);
      const units = await this.#units();
      await refuseTakenPorts(units);
      if (this.#isStopping) throw new Error('stopped before it was ready');
      const env = { ...this.#options.env, ...this.env() } as NodeJS.ProcessEnv;
      this.#runners = units.map((unit) => {
        const log = new LogFile(join(this.directory, 'logs', `${unit.name}.log`));
        this.#logs.push(log);
        return new UnitRunner(unit, log, children, env, (runner) => this.#tell(runner));
      });
      this.#sendWatchdogHome = watchOver(children.folder);
      this.#rotation = setInterval(() => {
        for (const log of this.#logs) log.rotate();
      }, 5_000);
    } catch (error) {
      this.#giveBack();
      throw error;
    }
    const allReady = Promise.all(this.#runners.map((runner) => this.#startInTurn(runner)));
    await Promise.race([allReady, this.#stopAsked.promise]);
    if (this.#isStopping) throw new Error('stopped before it was ready');
  }

  /** Stops all units, dependants first, and gives the data directory back. Resolves when every process has ended. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#isStopping = true;
    this.#stopAsked.resolve();
    await Promise.all(this.#runners.map((runner) => this.#stopInTurn(runner)));
    this.#giveBack();
  }

  units(): UnitView[] {
    return this.#runners.map(view);
  }

  /** Sends a signal to a unit's process, as an operator or a test would. @throws Error if there is no such unit. */
  kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#runner(name).kill(signal);
  }

  /** Calls back on every change of a unit's state. @returns how to end that. */
  onChange(listener: (unit: UnitView) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when a unit is in a state for which `is` holds, at once if it is already. */
  async until(name: string, is: (unit: UnitView) => boolean): Promise<UnitView> {
    const now = view(this.#runner(name));
    if (is(now)) return now;
    return new Promise((resolve) => {
      const forget = this.onChange((unit) => {
        if (unit.name !== name || !is(unit)) return;
        forget();
        resolve(unit);
      });
    });
  }

  get clickhousePasswordFile(): string {
    return this.settings.clickhousePasswordFile || join(this.directory, 'clickhouse-password');
  }
  get apiToken(): string {
    return readFileSync(join(this.directory, 'api-token'), 'utf8').trim();
  }
  /** Whether `stop` has been called. */
  get isStopping(): boolean {
    return this.#isStopping;
  }
  get clickhousePassword(): string {
    return readFileSync(this.clickhousePasswordFile, 'utf8').trim();
  }

  /** The settings that services and tools need to find everything. */
  env(): Record<string, string> {
    const s = this.settings;
    const local = `http://127.0.0.1:${s.registryPort}/apis/ccompat`;
    return {
      TRIBUTARY_KAFKA_BROKERS: this.#external.has('kafka') ? s.kafkaBrokers.join(',') : `127.0.0.1:${s.kafkaPort}`,
      TRIBUTARY_KAFKA_TLS: String(s.kafkaTls),
      TRIBUTARY_KAFKA_CA_FILE: s.kafkaCaFile,
      TRIBUTARY_KAFKA_SASL_MECHANISM: s.kafkaSaslMechanism,
      TRIBUTARY_KAFKA_SASL_USERNAME: s.kafkaSaslUsername,
      TRIBUTARY_KAFKA_SASL_PASSWORD_FILE: s.kafkaSaslPasswordFile,
      TRIBUTARY_REGISTRY_URL: s.registryUrl || `${local}/v7`,
      // ClickHouse asks the registry as its version 6 did.
      TRIBUTARY_CLICKHOUSE_REGISTRY_URL: s.clickhouseRegistryUrl || s.registryUrl || `${local}/v6`,
      TRIBUTARY_CLICKHOUSE_URL: s.clickhouseUrl || `http://127.0.0.1:${s.clickhousePort}`,
      TRIBUTARY_CLICKHOUSE_USER: s.clickhouseUser,
      TRIBUTARY_CLICKHOUSE_PASSWORD_FILE: this.clickhousePasswordFile,
      TRIBUTARY_DATA: this.directory,
      TRIBUTARY_SECRET_FILE: join(this.directory, 'secret'),
      TRIBUTARY_API_TOKEN_FILE: join(this.directory, 'api-token'),
      TRIBUTARY_COLLECTOR_PORT: String(s.collectorPort),
      TRIBUTARY_API_PORT: String(s.apiPort),
    };
  }

  async #units(): Promise<Unit[]> {
    const wanted = new Set((this.#options.parts ?? parts).filter((part) => !this.#external.has(part)));
    const s = this.settings;
    const units: Unit[] = [];
    if (wanted.has('kafka') || wanted.has('registry')) {
      const env = { ...this.#options.env, TRIBUTARY_PLATFORM_CACHE: resolve(root, s.platformCache) };
      const [java, jars] = await Promise.all([findJava(env), ensureJars(this.#options.say, env)]).catch(
        (error: Error) => {
          throw new NotPossible(error.message);
        },
      );
      const java_ = { java, jars };
      if (wanted.has('kafka')) {
        units.push(
          kafkaUnit({
            ...java_,
            directory: join(this.directory, 'kafka'),
            port: s.kafkaPort,
            controllerPort: s.kafkaControllerPort,
            heapMb: s.kafkaHeapMb,
          }),
        );
      }
      if (wanted.has('registry'))
        units.push(registryUnit({ ...java_, directory: join(this.directory, 'registry'), port: s.registryPort }));
    }
    if (wanted.has('clickhouse')) {
      units.push(
        clickhouseUnit({
          directory: join(this.directory, 'clickhouse'),
          port: s.clickhousePort,
          passwordFile: this.clickhousePasswordFile,
        }),
      );
    }
    const services = serviceUnits(s, [...parts]).filter(
      ({ name }) => this.#options.services === undefined || this.#options.services.includes(name),
    );
    return [...units, ...services];
  }

  #runner(name: string): UnitRunner {
    const runner = this.#runners.find(({ unit }) => unit.name === name);
    if (!runner) throw new Error(`no unit ${name}; there are ${this.#runners.map(({ unit }) => unit.name).join(', ')}`);
    return runner;
  }

  #has(name: string): boolean {
    return this.#runners.some(({ unit }) => unit.name === name);
  }

  async #startInTurn(runner: UnitRunner): Promise<void> {
    const { unit } = runner;
    const isSettled = ({ state }: UnitView) => state === 'ready' || state === 'failed';
    for (const name of unit.dependsOn.filter((name) => this.#has(name))) {
      const needed = await this.until(name, isSettled);
      // Whoever waits for the one that failed says so; this one just does not start.
      if (needed.state === 'failed') return;
    }
    if (this.#isStopping) return;
    runner.start();
    const settled = await this.until(unit.name, (view) => isSettled(view) || view.state === 'stopped');
    if (settled.state === 'failed')
      throw new Error(
        `${unit.name} does not start: ${settled.note} (${join(this.directory, 'logs', `${unit.name}.log`)})`,
      );
  }

  async #stopInTurn(runner: UnitRunner): Promise<void> {
    const dependants = this.#runners.filter(({ unit }) => unit.dependsOn.includes(runner.unit.name));
    await Promise.all(dependants.map(({ unit }) => this.until(unit.name, ({ state }) => state === 'stopped')));
    runner.stop();
    await this.until(runner.unit.name, ({ state }) => state === 'stopped');
  }

  #tell(runner: UnitRunner): void {
    const unit = view(runner);
    for (const listener of [...this.#listeners]) listener(unit);
  }

  #giveBack(): void {
    clearInterval(this.#rotation);
    this.#sendWatchdogHome?.();
    this.#unlock?.();
    this.#unlock = undefined;
  }
}

function view(runner: UnitRunner): UnitView {
  const { state, unit, pid } = runner;
  return {
    name: unit.name,
    kind: unit.kind,
    state: state.name,
    since: runner.since,
    pid,
    restarts: runner.restarts,
    isWaiting: runner.isWaiting,
    residentBytes: pid === undefined ? undefined : residentBytes(pid),
    note: 'reason' in state ? state.reason : runner.lastTrouble,
  };
}

async function refuseTakenPorts(units: readonly Unit[]): Promise<void> {
  const wanted = units.flatMap((unit) => unit.ports);
  const taken = await Promise.all(wanted.map(async (wish) => ((await isPortFree(wish.port)) ? undefined : wish)));
  const lines = taken.flatMap((wish) => (wish ? [`port ${wish.port} is taken; set ${wish.setting} to another`] : []));
  if (lines.length > 0) throw new NotPossible(lines.join('\n'));
}
