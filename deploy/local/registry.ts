import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { answersHttp } from './probes.ts';
import type { Unit } from './unit.ts';

export interface RegistryOptions {
  readonly java: string;
  readonly jars: string;
  readonly directory: string;
  readonly port: number;
}

/** Apicurio Registry with a file database, so that schema ids outlive it, on loopback. */
export function registryUnit({ java, jars, directory, port }: RegistryOptions): Unit {
  return {
    name: 'registry',
    kind: 'service',
    dependsOn: [],
    ports: [{ port, setting: 'TRIBUTARY_REGISTRY_PORT' }],
    stopSignal: 'SIGTERM',
    stopGraceMs: 15_000,
    startLimitMs: 120_000,
    ready: () => answersHttp(`http://127.0.0.1:${port}/apis/ccompat/v7/subjects`),
    command: () => {
      mkdirSync(directory, { recursive: true });
      const system = {
        'quarkus.http.host': '127.0.0.1',
        'quarkus.http.port': port,
        'quarkus.datasource.jdbc.url': `jdbc:h2:file:${join(directory, 'registry')}`,
        'quarkus.log.level': 'WARN',
        'quarkus.log.console.color': false,
        'quarkus.banner.enabled': false,
        'java.awt.headless': true,
      };
      return {
        program: java,
        args: [
          '-Xms32m',
          '-Xmx192m',
          '-Xss512k',
          '-Xshare:auto',
          '-XX:+UseSerialGC',
          '-XX:TieredStopAtLevel=1',
          '-XX:-UsePerfData',
          '-XX:+ExitOnOutOfMemoryError',
          ...Object.entries(system).map(([name, value]) => `-D${name}=${value}`),
          '-jar',
          runner(join(jars, 'registry')),
        ],
        cwd: directory,
      };
    },
  };
}

function runner(folder: string): string {
  const jar = readdirSync(folder).find((name) => name.endsWith('-runner.jar'));
  if (jar === undefined) throw new Error(`no registry in ${folder}; delete the folder, the next start fetches it anew`);
  return join(folder, jar);
}
