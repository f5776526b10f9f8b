import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { applyDefinitions } from '#shared/definitions/apply.ts';
import { validateDefinitions } from '#shared/definitions/validate.ts';
import { serviceUnits } from '../../deploy/local/services.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
import type { RunningPlatform } from '../support/platform.ts';
import { Hopeless, until } from '../support/until.ts';
import { stopProcess } from './processes.ts';

export interface StartedService {
  readonly name: string;
  readonly pid: number;
  /** Sum of the samples of a metric whose labels contain all of these. */
  metric(name: string, ...labels: readonly string[]): Promise<number>;
  stop(): Promise<void>;
}

/** Topics, definitions and a data directory of their own on the running platform, for services that are started one by one. */
export interface Ground {
  readonly installation: Installation;
  readonly database: string;
  readonly platform: RunningPlatform;
  /** Where its services keep their state. */
  readonly data: string;
  /** Starts a service as the local platform would, with these flags of Node besides. Resolves when it is ready, or listens where it is told not to wait. */
  start(name: string, settings?: Readonly<Record<string, string>>, flags?: readonly string[]): Promise<StartedService>;
  /** Makes the tables in ClickHouse, which begins to read. */
  attachClickHouse(): Promise<void>;
  close(): Promise<void>;
}

/** @param profiles directory for CPU profiles of the services; none when undefined */
export async function openGround(platform: RunningPlatform, profiles?: string): Promise<Ground> {
  const installation = await createInstallation(platform);
  const { kafka, codecs, prefix } = installation;
  const name = 'deploy/local/definitions.yaml';
  const file = new URL(`../../${name}`, import.meta.url);
  const valid = validateDefinitions(readFileSync(file, 'utf8'), name);
  if ('errors' in valid) throw new Error(valid.errors.join('\n'));
  await applyDefinitions({ kafka, codecs, prefix, partitions: 4, replication: 1 }, valid.definitions, {
    actor: 'bench',
    reason: '',
    at: Date.now(),
  });
  const data = join(platform.dataDir, prefix);
  mkdirSync(data, { recursive: true });
  const database = prefix.replace('.', '');
  const env = {
    ...platform.env,
    PATH: process.env.PATH,
    TRIBUTARY_PREFIX: prefix,
    TRIBUTARY_DATA: data,
    TRIBUTARY_CLICKHOUSE_DATABASE: database,
    TRIBUTARY_LOG_LEVEL: 'warn',
  };
  const units = serviceUnits(platform.platform.settings, []);
  const started: StartedService[] = [];
  const launch = async (
    name: string,
    settings: Readonly<Record<string, string>> = {},
    more: readonly string[] = [],
  ): Promise<{ child: ChildProcess; log: string; port: number }> => {
    const unit = units.find((one) => one.name === name);
    if (!unit) throw new Error(`no service ${name}`);
    const command = await unit.command();
    const log = join(data, `${name}.log`);
    const output = openSync(log, 'a');
    const flags = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profiles, name)}`];
    const child = spawn(command.program, [...flags, ...command.args.slice(0, -1), ...more, ...command.args.slice(-1)], {
      cwd: command.cwd,
      env: { ...env, ...command.env, ...settings },
      stdio: ['ignore', output, output],
    });
    const kill = (): boolean => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    return { child, log, port: unit.ports[0]?.port ?? 0 };
  };
  const complaint = (log: string): string => readFileSync(log, 'utf8').slice(-2_000);
  return {
    installation,
    database,
    platform,
    data,
    async start(name, settings = {}, flags = []) {
      const { child, log, port: usual } = await launch(name, settings, flags);
      const port = settings.TRIBUTARY_OPS_PORT ?? usual;
      const url = `http://127.0.0.1:${port}`;
      const ready = async (): Promise<boolean> => {
        if (child.exitCode !== null) throw new Hopeless(`${name} ended: ${complaint(log)}`);
        return (await fetch(`${url}/ready`)).ok;
      };
      await until(`${name} is ready`, ready);
      const service: StartedService = {
        name,
        pid: child.pid as number,
        metric: async (metric, ...labels) => {
          const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n');
          return lines
            .filter((line) => line.startsWith(`${metric}{`) && labels.every((label) => line.includes(label)))
            .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
        },
        stop: () => stopProcess(child),
      };
      started.push(service);
      return service;
    },
    async attachClickHouse() {
      const { child, log } = await launch('provision');
      const [code] = await once(child, 'exit');
      if (code !== 0) throw new Error(`provision ended with ${code}: ${complaint(log)}`);
    },
    async close() {
      await Promise.all(started.map((service) => service.stop()));
      await installation.close();
    },
  };
}

export const bytesUnder = (directory: string, which: (path: string) => boolean = () => true): number =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && which(join(entry.parentPath, entry.name)))
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).blocks * 512, 0);
