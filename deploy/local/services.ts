import { join } from 'node:path';
import { root, type Settings } from './options.ts';
import { answersHttp } from './probes.ts';
import type { Unit } from './unit.ts';

/** Where Node keeps what it has compiled: the next start reads it. */
export const compiled = { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compiled') };

/** What runs on the three parts: the provisioning, then the services. */
export function serviceUnits(settings: Settings, parts: readonly string[]): Unit[] {
  const service = (
    name: string,
    folder: string,
    port: number,
    setting: string,
    env: Record<string, string> = {},
  ): Unit => ({
    name,
    kind: 'service',
    dependsOn: ['provision'],
    ports: [{ port, setting }],
    stopSignal: 'SIGTERM',
    stopGraceMs: 20_000,
    startLimitMs: 120_000,
    ready: () => answersHttp(`http://127.0.0.1:${port}/ready`),
    command: () => ({
      program: process.execPath,
      // Room for a whole batch among the young: what lives as long as a batch would else be copied, and collected slowly.
      args: ['--max-semi-space-size=32', join(root, 'services', folder, 'main.ts')],
      env: { ...compiled, ...env },
      cwd: root,
    }),
  });
  const withOps = (name: string, port: number, setting: string): Unit =>
    service(name, name, port, setting, { TRIBUTARY_OPS_PORT: String(port) });
  return [
    {
      name: 'provision',
      kind: 'task',
      dependsOn: parts,
      ports: [],
      stopSignal: 'SIGTERM',
      stopGraceMs: 10_000,
      startLimitMs: 180_000,
      command: () => ({
        program: process.execPath,
        args: [join(root, 'deploy', 'provision.ts')],
        env: { ...compiled, TRIBUTARY_FIRST_DEFINITIONS: join(root, 'deploy', 'local', 'definitions.yaml') },
        cwd: root,
      }),
    },
    service('collector', 'collector', settings.collectorPort, 'TRIBUTARY_COLLECTOR_PORT'),
    withOps('identity-stitcher', settings.stitcherOpsPort, 'TRIBUTARY_STITCHER_OPS_PORT'),
    withOps('profile-projector', settings.projectorOpsPort, 'TRIBUTARY_PROJECTOR_OPS_PORT'),
    service('activation', 'activation', settings.activationOpsPort, 'TRIBUTARY_ACTIVATION_OPS_PORT', {
      TRIBUTARY_OPS_PORT: String(settings.activationOpsPort),
      // What is tried here is most often received on this machine.
      TRIBUTARY_WEBHOOK_PRIVATE_ADDRESSES: 'true',
    }),
    service('console', 'console', settings.apiPort, 'TRIBUTARY_API_PORT', {
      TRIBUTARY_PAGE_COLLECTOR_URL: `http://127.0.0.1:${settings.collectorPort}`,
    }),
  ];
}
