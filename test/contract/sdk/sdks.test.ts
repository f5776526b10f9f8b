import { type ExecFileOptions, execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { min as snippetOf } from '@segment/snippet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventCollected } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import { addresses } from '../../support/addresses.ts';
import { defineSources, startCollector } from '../../support/collector-process.ts';
import { createInstallation } from '../../support/installation.ts';
import { type ReadRecord, readAll } from '../../support/read-all.ts';
import { type RecordingProxy, startRecordingProxy } from '../../support/recording-proxy.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { until } from '../../support/until.ts';
import { openWarehouse } from '../../support/warehouse.ts';
import { bundled, type Site, startSite } from './browser.ts';
import { type CodeBlock, codeBlocks, filled, javaProgram } from './code-blocks.ts';
import { javaPackages, pythonPackages } from './sdk-packages.ts';
import { startStitcher } from './stitcher.ts';

/** A program that goes on for ever, as some do with answers that they do not like, is ended. */
const execute = (file: string, args: readonly string[], options: ExecFileOptions = {}) =>
  promisify(execFile)(file, args, { ...options, timeout: 120_000 });
const here = import.meta.dirname;
const read = (file: string): string => readFileSync(join(here, file), 'utf8');

/** An event as ClickHouse has it. Times are milliseconds. */
interface Row {
  readonly source: string;
  readonly type: string;
  readonly event: string | null;
  readonly message_id: string;
  readonly user_id: string | null;
  readonly anonymous_id: string | null;
  readonly identifiers: readonly string[];
  readonly original: number;
  readonly sent: number | null;
  readonly received: number;
  readonly timestamp: number;
  readonly flags: readonly string[];
  readonly payload: string;
}

/** What became of a program that sends. */
interface Sent {
  readonly proxy: RecordingProxy;
  /** Whom else a page asks than the site that it is of. */
  hosts: ReadonlySet<string>;
  error?: unknown;
}

type Send = (sent: Sent, writeKey: string) => Promise<unknown>;

/** What was started, to be stopped in turn from the last. */
const started: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const stop of started.reverse()) await stop();
});

let site: Site;
let pythonPath: Promise<string>;
let segmentJars: Promise<string>;
let rudderJars: Promise<string>;

const messagesOf = ({ proxy }: Sent): string[] => proxy.exchanges.flatMap(({ messageIds }) => messageIds);

const node =
  (file: string): Send =>
  ({ proxy }, writeKey) =>
    execute(process.execPath, [join(here, file), proxy.url, writeKey]);

const python = async (...args: readonly string[]) =>
  execute('python3', args, { env: { ...process.env, PYTHONPATH: await pythonPath } });

/** A program of one file, which `java` compiles itself. */
const java = async (jars: Promise<string>, file: string, ...args: readonly string[]) =>
  execute('java', ['-XX:TieredStopAtLevel=1', '-Dfile.encoding=UTF-8', '-cp', await jars, file, ...args]);

/** Visits a page, and stays until it has sent as many messages. */
async function stay(html: string, hash: string, sent: Sent, messages: number): Promise<void> {
  const { page, hosts } = await site.visit(html, hash);
  sent.hosts = hosts;
  await until(
    'the page has sent all',
    () => messagesOf(sent).length >= messages,
    undefined,
    () => sent.proxy.exchanges,
  );
  await page.context().close();
}

/** Visits a page that says when it may be left, and goes elsewhere. */
const leave =
  (file: string): Send =>
  async (sent, writeKey) => {
    const { page, hosts } = await site.visit(await bundled(read(file)), `${sent.proxy.url},${writeKey}`);
    sent.hosts = hosts;
    await page.waitForFunction('document.title === "ready to leave"');
    expect(messagesOf(sent)).toEqual([]);
    await page.goto('about:blank');
    await until('the page has sent what was left', () => messagesOf(sent).length > 0);
    await page.context().close();
  };

const snippet = (address: string, apiKey: string): string =>
  snippetOf({ host: new URL(address).host, apiKey, page: false }).replaceAll('https://', 'http://');

interface Sdk {
  readonly name: string;
  readonly send: Send;
  /** Its own name, in the events' `context`. */
  readonly library: string;
  /** It has no such call. */
  readonly without?: string;
  /** It gives messages their ids by itself. */
  readonly ownIds?: boolean;
  /** It sends a time of its own beside the one that the program says. */
  readonly ownOriginal?: boolean;
}

const sdks: readonly Sdk[] = [
  {
    name: 'segment-browser',
    library: 'analytics.js',
    send: (sent, key) =>
      stay(
        `<script>${snippet(sent.proxy.url, key)}</script><script>${read('browser/segment.js')}</script>`,
        '',
        sent,
        6,
      ),
  },
  {
    name: 'rudderstack-browser',
    library: 'RudderLabs JavaScript SDK',
    without: 'screen',
    ownIds: true,
    send: async (sent, key) =>
      stay(await bundled(read('browser/rudderstack.mjs')), `${sent.proxy.url},${key}`, sent, 5),
  },
  { name: 'segment-node', library: '@segment/analytics-node', send: node('node/segment.mjs') },
  { name: 'rudderstack-node', library: 'analytics-node', ownOriginal: true, send: node('node/rudderstack.mjs') },
  {
    name: 'segment-python',
    library: 'analytics-python',
    send: ({ proxy }, key) => python(join(here, 'python/with_segment.py'), proxy.url, key),
  },
  {
    name: 'rudderstack-python',
    library: 'analytics-python',
    send: ({ proxy }, key) => python(join(here, 'python/with_rudderstack.py'), proxy.url, key),
  },
  {
    name: 'segment-java',
    library: 'analytics-java',
    send: ({ proxy }, key) => java(segmentJars, join(here, 'java/Segment.java'), proxy.url, key),
  },
  {
    name: 'rudderstack-java',
    library: 'analytics-java',
    send: ({ proxy }, key) => java(rudderJars, join(here, 'java/RudderStack.java'), proxy.url, key),
  },
];

const leaving = [
  { name: 'segment-leaving', path: '/v1/b', send: leave('browser/segment-leaving.mjs') },
  { name: 'rudderstack-leaving', path: '/beacon/v1/batch', send: leave('browser/rudderstack-leaving.mjs') },
];

/** Runs a block of docs/collect.md as its readers would. */
const blockSender =
  ({ language, code }: CodeBlock): Send =>
  async (sent, writeKey) => {
    const program = filled(code, sent.proxy.url, writeKey);
    if (language === 'html') return stay(program, '', sent, 1);
    if (language === 'python') return python('-c', program);
    if (language === 'java') {
      const file = join(temporaryDirectory(), 'Main.java');
      writeFileSync(file, javaProgram(program));
      return java(code.includes('rudderstack') ? rudderJars : segmentJars, file);
    }
    if (/analytics-next|analytics-js/.test(code)) return stay(await bundled(program), '', sent, 1);
    return execute(process.execPath, ['--input-type=module', '-e', program], { cwd: here });
  };
const blocks = codeBlocks.map((block, i) => ({
  name: `docs-${i}`,
  title: `${block.language}: ${block.code.split('\n', 1)[0]}`,
  send: blockSender(block),
}));

const sent = new Map<string, Sent>();
let rows: readonly Row[] = [];
let collected: readonly ReadRecord<EventCollected>[] = [];
let rejected: readonly unknown[] = [];
const rowsOf = (source: string): Row[] => rows.filter((row) => row.source === source);

beforeAll(async () => {
  const senders: readonly { readonly name: string; readonly send: Send }[] = [...sdks, ...leaving, ...blocks];
  pythonPath = pythonPackages();
  segmentJars = javaPackages('com.segment.analytics.java', '3.5.4');
  // One after the other: they share Maven's store.
  rudderJars = segmentJars.then(() => javaPackages('com.rudderstack.sdk.java.analytics', '3.1.2'));
  for (const packages of [pythonPath, segmentJars, rudderJars]) packages.catch(() => undefined);
  site = await startSite();
  started.push(() => site.close());
  const installation = await createInstallation(addresses());
  started.push(() => installation.close());
  const body = { allowedOrigins: ['http://localhost:*'] };
  await defineSources(
    installation,
    Object.fromEntries(senders.map(({ name }) => [name, { ...body, writeKeys: [{ key: `${name}-key` }] }])),
  );
  const warehouse = await openWarehouse(installation);
  started.push(() => warehouse.close());
  started.push(await startStitcher(addresses(), installation.prefix));
  const collector = await startCollector(addresses(), installation.prefix);
  started.push(() => collector.stop());
  await collector.ready();

  await Promise.all(
    senders.map(async ({ name, send }) => {
      const one: Sent = { proxy: await startRecordingProxy(collector.url), hosts: new Set() };
      started.push(() => one.proxy.close());
      sent.set(name, one);
      await send(one, `${name}-key`).catch((error: unknown) => {
        one.error = error;
      });
    }),
  );

  const messages = [...sent.values()].reduce((sum, one) => sum + new Set(messagesOf(one)).size, 0);
  const count = async () =>
    Number((await warehouse.rows<{ n: string }>(`SELECT count() AS n FROM {db}.events WHERE kind = 'person'`))[0]?.n);
  // What is missing then is told by the test of its SDK.
  await until('ClickHouse has all', async () => (await count()) >= messages).catch(() => undefined);
  rows = await warehouse.rows<Row>(`
    SELECT source, type, event, message_id, user_id, anonymous_id, payload, flags,
      arrayMap((type, value) -> concat(type, ':', value), identifiers.type, identifiers.value) AS identifiers,
      toUnixTimestamp64Milli(original_timestamp)::Float64 AS original, toUnixTimestamp64Milli(sent_at)::Nullable(Float64) AS sent,
      toUnixTimestamp64Milli(received_at)::Float64 AS received, toUnixTimestamp64Milli(timestamp)::Float64 AS timestamp
    FROM {db}.events
    WHERE kind = 'person'`);
  collected = await readAll(installation, topics.eventsCollected);
  rejected = await readAll(installation, topics.eventsRejected);
}, 300_000);

/** It said nothing of a failure, asked nobody else, and needed to send nothing twice. */
function isContent(name: string): void {
  const { error, proxy, hosts } = sent.get(name) as Sent;
  expect(error).toBeUndefined();
  expect([...hosts].filter((host) => host !== new URL(proxy.url).host)).toEqual([]);
  const refused = proxy.exchanges.filter(({ method, status }) => status !== (method === 'OPTIONS' ? 204 : 200));
  expect(refused).toEqual([]);
  const messageIds = proxy.exchanges.flatMap((exchange) => exchange.messageIds);
  expect(messageIds.toSorted()).toEqual(
    rowsOf(name)
      .map(({ message_id }) => message_id)
      .toSorted(),
  );
}

test('nothing was rejected, and each event lies with the others of its identifier', () => {
  expect(rejected).toEqual([]);
  const kinds = Map.groupBy(collected, ({ value }) => value?.kind);
  expect(kinds.get('person')?.length).toBe(rows.length);
  // What a group call says of the group is an event of its own.
  expect(kinds.get('account')?.length).toBe(rows.filter(({ type }) => type === 'group').length);
  for (const { key, value } of collected) expect(key).toBe(value?.identifiers[0]?.hash);
});

const AT = Date.UTC(2025, 0, 2, 3, 4, 5, 678);
const who = { userId: 'ada-1', anonymousId: '5f0c9b1e-7a3d-4f7e-9a41-0d6f0a6f2b11' };
const calls = {
  identify: { ...who },
  track: {
    ...who,
    event: 'Order Completed',
    properties: { revenue: 19.9, currency: 'EUR', products: [{ sku: 'a-1', quantity: 2 }] },
  },
  page: { ...who, name: 'Home', properties: { section: 'shop' } },
  screen: { ...who, name: 'Basket', properties: { items: 2 } },
  group: { ...who, groupId: 'team-1', traits: { seats: 5 } },
  alias: { userId: 'ada-1', previousId: 'ada-0' },
};

describe.each(sdks)('$name', ({ name, library, without, ownIds, ownOriginal }) => {
  const types = Object.keys(calls).filter((type) => type !== without) as (keyof typeof calls)[];

  test('is content with the first answer to each request', () => {
    isContent(name);
    expect(
      rowsOf(name)
        .map(({ type }) => type)
        .toSorted(),
    ).toEqual(types.toSorted());
  });

  test.each(types)('%s is stored as it was called', (type) => {
    const row = rowsOf(name).find((one) => one.type === type) as Row;
    const payload = JSON.parse(row.payload);
    expect(payload).toMatchObject({ ...calls[type], context: { locale: 'de-AT', library: { name: library } } });
    const named = { track: 'Order Completed', page: 'Home', screen: 'Basket' } as Readonly<Record<string, string>>;
    expect(row).toMatchObject({ user_id: 'ada-1', event: named[type] ?? null, flags: [] });
    if (type !== 'alias') expect(row.anonymous_id).toBe(who.anonymousId);
    if (type === 'identify') {
      expect(payload.traits ?? payload.context.traits).toEqual({ email: 'ada@example.com', city: 'Köln' });
      expect(row.identifiers).toContain('email:ada@example.com');
    }
    expect(row.message_id).toEqual(ownIds ? expect.stringMatching(/^.{36}$/) : `${type}-1`);
    expect(row.sent).not.toBeNull();
    if (ownOriginal) expect(row.timestamp).toBe(AT);
    else {
      expect(row.original).toBe(AT);
      expect(row.timestamp - row.original).toBe(row.received - (row.sent as number));
    }
  });
});

describe.each(leaving)('$name', ({ name, path }) => {
  test('a page that is left sends what it has kept, once', () => {
    isContent(name);
    const posts = (sent.get(name) as Sent).proxy.exchanges.filter(({ messageIds }) => messageIds.length > 0);
    expect(posts.map((exchange) => exchange.path)).toEqual([path]);
    expect(rowsOf(name)).toMatchObject([{ event: 'Left' }]);
  });
});

describe('docs/collect.md', () => {
  test.each(blocks)('$title', ({ name }) => {
    isContent(name);
    expect(rowsOf(name)).toMatchObject([{ event: 'Order Completed' }]);
  });
});
