import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parts as allParts, type Part, Platform } from '../../deploy/local/platform.ts';
import { freePorts } from './free-ports.ts';

export interface StartOptions {
  readonly parts?: readonly Part[];
  /** Units besides the parts: `provision`, `collector`, … None by default. */
  readonly services?: readonly string[];
  /** Kept after `stop`; else a temporary one is made and removed. */
  readonly dataDir?: string;
  /** Ports are taken from here upwards; else free ones are picked. */
  readonly portBase?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunningPlatform {
  readonly platform: Platform;
  readonly dataDir: string;
  readonly brokers: string;
  readonly registryUrl: string;
  readonly clickhouseUrl: string;
  readonly clickhousePassword: string;
  /** For a service or a tool that is started as a process. */
  readonly env: Record<string, string>;
  /** Kills a unit's process; the supervisor starts it anew. */
  kill(name: string, signal?: NodeJS.Signals): void;
  /** Resolves when the unit is ready again after having died `restarts` times. */
  restarted(name: string, restarts?: number): Promise<void>;
  stop(): Promise<void>;
}

const portSettings = [
  'KAFKA_PORT',
  'KAFKA_CONTROLLER_PORT',
  'REGISTRY_PORT',
  'CLICKHOUSE_PORT',
  'COLLECTOR_PORT',
  'API_PORT',
  'STITCHER_OPS_PORT',
  'PROJECTOR_OPS_PORT',
  'ACTIVATION_OPS_PORT',
] as const;

/** Starts parts of the real local platform for tests, in a data directory and on ports of their own. */
export async function startPlatform(options: StartOptions = {}): Promise<RunningPlatform> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'tributary-test-'));
  const env = await environmentFor(dataDir, options);
  const platform = new Platform({
    settings: Platform.settingsFrom(env),
    env,
    parts: options.parts ?? allParts,
    services: options.services ?? [],
  });
  const stop = async () => {
    await platform.stop();
    if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    await platform.start();
  } catch (error) {
    await stop();
    throw error;
  }
  const addresses = platform.env();
  return {
    platform,
    dataDir,
    brokers: addresses.TRIBUTARY_KAFKA_BROKERS as string,
    registryUrl: addresses.TRIBUTARY_REGISTRY_URL as string,
    clickhouseUrl: addresses.TRIBUTARY_CLICKHOUSE_URL as string,
    clickhousePassword: platform.clickhousePassword,
    env: addresses,
    kill: (name, signal = 'SIGKILL') => platform.kill(name, signal),
    restarted: async (name, restarts = 1) => {
      await platform.until(name, (unit) => unit.state === 'ready' && unit.restarts >= restarts);
    },
    stop,
  };
}

/** The settings of a platform in this directory, with ports of its own. */
export async function environmentFor(
  dataDir: string,
  { portBase, env: given = {} }: Pick<StartOptions, 'portBase' | 'env'> = {},
): Promise<Record<string, string | undefined>> {
  const ports =
    portBase === undefined ? await freePorts(portSettings.length) : portSettings.map((_, i) => portBase + i);
  // Nothing of the installation that the machine's user may have set up; only where the jars are.
  const outside = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('TRIBUTARY_') || name === 'TRIBUTARY_PLATFORM_CACHE',
  );
  const env: Record<string, string | undefined> = {
    ...Object.fromEntries(outside),
    ...given,
    TRIBUTARY_DATA: dataDir,
  };
  portSettings.forEach((setting, i) => {
    env[`TRIBUTARY_${setting}`] ??= String(ports[i]);
  });
  return env;
}
