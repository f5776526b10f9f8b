import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '..', '..');

interface ComposeService {
  readonly image: string;
  readonly environment: Readonly<Record<string, string | number>>;
}

const { services } = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<string, ComposeService>>;
};

/** The image and the settings of a part in docker-compose.yml, so that the tests start no other. */
export function composeService(name: string): { image: string; environment: Record<string, string> } {
  const service = services[name];
  if (!service) throw new Error(`docker-compose.yml has no service ${name}`);
  const { image, environment } = service;
  return {
    image,
    environment: Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, String(value)])),
  };
}

/** Whether a Docker engine answers here. */
export const hasEngine = (): boolean => succeeds('version');

/** Whether `docker compose` is there, or only `docker-compose`. */
export const hasComposePlugin = (): boolean => succeeds('compose', 'version');

function succeeds(...args: readonly string[]): boolean {
  try {
    execFileSync('docker', args, { stdio: 'ignore', timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

/** Whether an image is one of those that deploy/docker/stand-ins.sh builds: then nothing can be pulled here. */
export function isStandIn(image: string): boolean {
  const format = '{{index .Config.Labels "tributary.stand-in"}}';
  try {
    const label = execFileSync('docker', ['image', 'inspect', '--format', format, image], { stdio: 'pipe' });
    return String(label).trim() === 'true';
  } catch {
    return false;
  }
}
