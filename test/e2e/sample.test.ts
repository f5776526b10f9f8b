import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'tributary-e2e-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** `npm start -- --once`, as somebody would type it. */
async function start(): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn('npm', ['start', '--', '--once', '--data', directory], { cwd: root, env: await environment() });
  let output = '';
  const take = (data: Buffer): void => {
    output += String(data);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}

test('npm start -- --once loads the sample and balances its books; a second start finds everything', async () => {
  const first = await start();
  expect(first.output).toContain('balanced: accepted = stitched + duplicates + rejected + dropped by rule');
  expect(first.code, first.output).toBe(0);

  const counts = booksIn(first.output);
  expect(counts.get('accepted')).toBe(
    (counts.get('stitched') ?? 0) + (counts.get('duplicates') ?? 0) + (counts.get('rejected further on') ?? 0),
  );
  expect(counts.get('stitched')).toBeGreaterThan(6_000);
  expect(counts.get('duplicates')).toBeGreaterThan(0);
  expect(counts.get('rejected at the door')).toBeGreaterThan(0);
  expect(counts.get('deliveries')).toBeGreaterThan(0);

  const second = await start();
  expect(second.code, second.output).toBe(0);
  expect(second.output).toContain('The sample is there since');
  expect(booksIn(second.output)).toEqual(counts);
}, 600_000);

/** The table of the report: each line's name and number, which must be the same in both columns. */
function booksIn(output: string): Map<string, number> {
  const counts = new Map<string, number>();
  const table =
    output
      .split(/^Books .*$/m)[1]
      ?.split('\n')
      .slice(1) ?? [];
  for (const line of table) {
    const match = /^ {2,}(\S.*?) {2,}([\d,]+) {2,}([\d,]+)$/.exec(line);
    if (!match) break;
    const [, name, here, there] = match as unknown as [string, string, string, string];
    expect(there, name).toBe(here);
    counts.set(name, Number(here.replaceAll(',', '')));
  }
  expect(counts.size).toBeGreaterThan(5);
  return counts;
}

/** The machine's own, without settings of an installation that may be there; a small sample; free ports. */
async function environment(): Promise<NodeJS.ProcessEnv> {
  const outside = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('TRIBUTARY_') || name === 'TRIBUTARY_PLATFORM_CACHE',
  );
  const names = [
    'KAFKA',
    'KAFKA_CONTROLLER',
    'REGISTRY',
    'CLICKHOUSE',
    'COLLECTOR',
    'API',
    'STITCHER_OPS',
    'PROJECTOR_OPS',
    'ACTIVATION_OPS',
  ];
  const ports = await freePorts(names.length);
  return {
    ...Object.fromEntries(outside),
    TRIBUTARY_SAMPLE_ROWS: '6000',
    TRIBUTARY_SAMPLE_VISITORS: '80',
    ...Object.fromEntries(names.map((name, i) => [`TRIBUTARY_${name}_PORT`, String(ports[i])])),
  };
}

/** Different ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
