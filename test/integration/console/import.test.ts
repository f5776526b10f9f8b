import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { TaskRunner } from '#shared/task/runner.ts';
import { createResolver } from '../../../services/identity-stitcher/resolver.ts';
import { addresses } from '../../support/addresses.ts';
import { type CollectorProcess, defineSources, secret, startCollector } from '../../support/collector-process.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { accountingOf, readAll } from '../../support/read-all.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { until } from '../../support/until.ts';

const tool = join(import.meta.dirname, '..', '..', '..', 'bin', 'tributary.mjs');

let installation: Installation;
let collector: CollectorProcess;
let directory: string;

beforeAll(async () => {
  directory = temporaryDirectory();
  installation = await createInstallation(addresses());
  await defineSources(installation, { erp: { writeKeys: [{ key: 'erp-key' }] } });
  collector = await startCollector(addresses(), installation.prefix);
  await collector.ready();
  return async () => {
    await collector.stop();
    await installation.close();
  };
});

const environment = () => ({
  PATH: process.env.PATH,
  TRIBUTARY_KAFKA_BROKERS: addresses().brokers,
  TRIBUTARY_REGISTRY_URL: addresses().registryUrl,
  TRIBUTARY_PREFIX: installation.prefix,
  TRIBUTARY_COLLECTOR_URL: collector.url,
});

function start(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [tool, 'import', ...args], { env: environment(), stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

const run = (args: readonly string[], input?: string | Buffer): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    const child = execFile(process.execPath, [tool, 'import', ...args], { env: environment() }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err }),
    );
    child.stdin?.end(input);
  });

function fileOf(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

/** The stitched events whose user id begins so. */
const stitchedOf = async (users: string) =>
  (await readAll(installation, topics.eventsStitched)).flatMap(({ value }) =>
    value?.user_id?.startsWith(users) ? [value] : [],
  );
const collectedOf = async (users: string) =>
  (await readAll(installation, topics.eventsCollected)).flatMap(({ value }) =>
    value?.user_id?.startsWith(users) ? [value] : [],
  );

/** How many the stitcher has taken, be they new or not. */
async function taken(): Promise<number> {
  const all = await accountingOf(installation);
  const ofEvents = all.filter(({ topic }) => topic.endsWith(topics.eventsCollected.name));
  return ofEvents.reduce((sum, totals) => sum + totals.taken, 0);
}

const ROWS = 20_000;
const csvOf = (users: string, rows: number): string =>
  `userId,timestamp,properties.n:number,properties.note\n${Array.from({ length: rows }, (_, i) => `${users}-${i % 500},1997-01-01T00:00:00Z,${i}.50,"row ${i}, ""quoted""\nand more"\n`).join('')}`;

describe('an import that is killed in the middle and started again', () => {
  test.each([
    ['a file', 'killed.csv', (text: string) => Buffer.from(text)],
    ['a packed file', 'packed.csv.gz', (text: string) => gzipSync(text)],
  ])('counts every row once: %s', async (_, name, pack) => {
    const users = name.split('.')[0] as string;
    const file = fileOf(name, pack(csvOf(users, ROWS)));
    const args = [file, '--write-key', 'erp-key', '--type', 'track', '--event', 'Bought'];
    const state = `${file}.tributary-import.json`;
    const rowIn = (): number =>
      existsSync(state) ? (JSON.parse(readFileSync(state, 'utf8')) as { next: { row: number } }).next.row : 0;
    let kills = 0;
    for (const row of [2_000, 9_000]) {
      const child = start(...args);
      const ended = once(child, 'exit');
      await until('a part of it is imported', () => rowIn() > row || child.exitCode !== null);
      if (child.kill('SIGKILL')) kills++;
      await ended;
    }
    expect(kills).toBe(2);
    expect(rowIn()).toBeLessThan(ROWS);
    expect(await run([...args, '--json'])).toMatchObject({ code: 0 });
    expect(await run(args)).toMatchObject({ code: 0, out: expect.stringContaining('was imported before') });

    const resolver = createResolver({ hashing: hashingWith(secret), generation: 1 });
    const runner = new TaskRunner(resolver, installation.host());
    const running = runner.run();
    const rows = async () => (await stitchedOf(`${users}-`)).length;
    await until('every row is stitched', async () => (await rows()) >= ROWS);
    const again = await run([...args, '--restart']);
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining(`${ROWS} rows accepted, 0 rejected`) });
    const all = (await readAll(installation, topics.eventsCollected)).length;
    await expect.poll(taken).toBe(all);
    await runner.stop();
    await running;

    const stitched = await stitchedOf(`${users}-`);
    const numbers = stitched.map(({ payload }) => (JSON.parse(payload) as { properties: { n: number } }).properties.n);
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: ROWS }, (__, i) => i + 0.5));
    expect(new Set(stitched.map(({ timestamp }) => timestamp))).toEqual(new Set([Date.UTC(1997, 0)]));
    expect(new Set(stitched.flatMap(({ flags }) => flags))).toEqual(new Set());
  });

  test('and by Ctrl-C ends after what is under way, and says how to go on', async () => {
    const file = fileOf('stopped.csv', csvOf('stopped', ROWS));
    const args = [file, '--write-key', 'erp-key', '--type', 'track', '--event', 'Bought'];
    const child = spawn(process.execPath, [tool, 'import', ...args], { env: environment() });
    onTestFinished(() => void child.kill('SIGKILL'));
    let err = '';
    child.stderr.on('data', (chunk) => {
      err += String(chunk);
    });
    const ended = once(child, 'exit');
    await until('a part of it is imported', () => existsSync(`${file}.tributary-import.json`));
    child.kill('SIGINT');
    expect(await ended).toEqual([1, null]);
    expect(err).toMatch(/^stopped before row \d+\n→ the same command goes on there\n$/);
    const stored = (await collectedOf('stopped-')).length;
    expect(err).toContain(`row ${stored + 1}\n`);
    expect(await run(args)).toMatchObject({ code: 0 });
    expect(await collectedOf('stopped-')).toHaveLength(ROWS);
  });
});

describe('bad rows', () => {
  test('are counted, and written down only where it was asked for', async () => {
    const file = fileOf(
      'bad.csv',
      'Customer,When\nbad-1,1997-01-01\nbad-2,"1997\n,1997-01-03\nbad-4,1997-01-04,x\nbad-5,1997-01-05\n',
    );
    const args = [file, '--source', 'erp', '--type', 'page', '--column', 'Customer=userId', '--column=When=timestamp'];
    const dry = await run([...args, '--dry-run']);
    expect(dry).toMatchObject({ code: 3, out: expect.stringContaining('nothing of it imported') });
    expect(existsSync(`${file}.tributary-import.json`)).toBe(false);
    expect(await collectedOf('bad-')).toEqual([]);

    const rejects = join(directory, 'rejects.jsonl');
    const done = await run([...args, '--rejects', rejects, '--json']);
    expect(done.code).toBe(3);
    expect(JSON.parse(done.out)).toMatchObject({
      rows: 5,
      accepted: 2,
      rejected: 3,
      codes: { invalid_row: 2, no_identifier: 1 },
    });
    expect(done.out + done.err + readFileSync(`${file}.tributary-import.json`, 'utf8')).not.toContain('bad-');
    const lines = readFileSync(rejects, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([
      { row: 2, code: 'invalid_row', text: 'bad-2,"1997' },
      { row: 3, code: 'no_identifier', text: ',1997-01-03' },
      { row: 4, code: 'invalid_row', message: '$: 3 cells where the header has 2', text: 'bad-4,1997-01-04,x' },
    ]);
    expect(statSync(rejects).mode & 0o077).toBe(0);
    chmodSync(rejects, 0o644);
    await run([...args, '--rejects', rejects, '--restart']);
    expect(statSync(rejects).mode & 0o077).toBe(0);
    const [before, link] = [readFileSync(file, 'utf8'), join(directory, 'link.csv')];
    symlinkSync(file, link);
    expect(await run([...args, '--rejects', link, '--restart'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('is the file that is to be imported'),
    });
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect([...new Set((await collectedOf('bad-')).map(({ user_id }) => user_id))].sort()).toEqual(['bad-1', 'bad-5']);
  });

  test('may be mapped by a file, and come from a pipe', async () => {
    const columns = fileOf('columns.yaml', 'Customer No: userId\nNote:\n"*": properties\n');
    const done = await run(
      ['-', '--format', 'csv', '--delimiter', ';', '--write-key', 'erp-key', '--type', 'page', '--columns', columns],
      'Customer No;Note;Sum\nmapped-1;x;5\n',
    );
    expect(done).toMatchObject({ code: 0, out: expect.stringContaining('1 rows accepted, 0 rejected') });
    expect(done.out).toContain('of those accepted: 1 no_timestamp');
    expect((await collectedOf('mapped-'))[0]?.payload).toBe(
      '{"userId":"mapped-1","properties":{"Sum":"5"},"type":"page"}',
    );
  });
});

describe('is told', () => {
  test('when it asked wrongly', async () => {
    const file = fileOf('wrong.csv', 'userId,price\nu1,1\n');
    const key = ['--write-key', 'erp-key'];
    for (const [args, message] of [
      [[], 'which file?'],
      [[file], 'of which source are the rows?'],
      [[file, '--source', 'nobody'], 'there is no source nobody'],
      [[join(directory, 'none.csv'), ...key], 'cannot be read (ENOENT)'],
      [[fileOf('what.txt', ''), ...key], 'which format?'],
      [[file, ...key, '--delimiter', 'comma'], 'the delimiter must be one character'],
      [[file, ...key], 'column 2, "price", is not a field of an event (400 invalid_columns)'],
    ] as const) {
      const { code, err } = await run(args);
      expect(err).toContain(message);
      expect(code).toBe(2);
    }
    expect(await run([file, '--write-key', 'nobody'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('401 unknown_write_key'),
    });
  });

  test('when the file, or how it is read, has changed in between', async () => {
    const file = fileOf('changed.csv', 'userId\nchanged-1\n');
    const args = [file, '--write-key', 'erp-key', '--type', 'page'];
    expect(await run(args)).toMatchObject({ code: 0 });
    expect(await run([...args, '--type', 'screen'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('with other settings'),
    });
    writeFileSync(file, 'userId\nchanged-1\nchanged-2\n');
    expect(await run(args)).toMatchObject({ code: 1, err: expect.stringContaining('has changed') });
    expect(await run([...args, '--restart'])).toMatchObject({ code: 0 });
  });

  test('when a packed file is broken', async () => {
    const file = fileOf('broken.csv.gz', gzipSync(csvOf('broken', 100)).subarray(0, 200));
    expect(await run([file, '--write-key', 'erp-key'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('cannot be read'),
    });
  });
});

test('comes back when it is asked to, and as late as it is asked to', async () => {
  const times: number[] = [];
  const answers = [
    [429, { 'retry-after': '1' }],
    [503, {}],
    [200, {}],
  ] as const;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const [status, headers] = answers[times.length] ?? [500, {}];
      times.push(performance.now());
      response.writeHead(status, headers);
      response.end(JSON.stringify({ accepted: 1, rejected: 0, dropped: 0, flags: {}, rows: [] }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const args = ['-', '--format', 'jsonl', '--write-key', 'k', '--collector-url', url];
  expect(await run(args, '{}')).toMatchObject({ code: 0 });
  expect(times).toHaveLength(3);
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990);
});
