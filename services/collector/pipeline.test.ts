import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import type { EventCollected } from '#schemas/generated/records.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { RateLimits } from '#shared/service/rate-limits.ts';
import { readBrowserSdk } from './adapters/browser-sdk-files.ts';
import type { Known, Target } from './adapters/installation.ts';
import { NotTaken } from './adapters/record-writer.ts';
import { BytesInHand } from './core/bytes-in-hand.ts';
import { Sources } from './core/sources.ts';
import { agentOf } from './core/user-agent.ts';
import { CollectorMetrics } from './metrics.ts';
import { answer, type Surroundings } from './pipeline.ts';

const body = definitionKinds.source.parse({ writeKeys: [{ key: 'server-key' }] });
const server = { kind: 'source', name: 'server', version: 1, body } as const;
const target = <V>(topic: string): Target<V> => ({
  topic,
  partitions: 1,
  encode: (value) => Buffer.from(JSON.stringify(value)),
});
const knowing = (...sources: (typeof server)[]): Known => ({
  collected: target('collected'),
  rejected: target('rejected'),
  sources: new Sources(new Definitions(sources)),
});
const browserSdk = readBrowserSdk();
const around = (changes: Partial<Surroundings> = {}): Surroundings => ({
  known: () => knowing(server),
  writer: { write: async () => undefined },
  hashing: hashingWith(Buffer.alloc(32, 1)),
  generation: 1,
  mostBodyBytes: 100_000,
  inHand: new BytesInHand(1_000_000),
  rateLimits: new RateLimits(),
  knowledge: { agentOf, locationOf: () => undefined },
  trustedProxies: 0,
  browserSdk,
  metrics: new CollectorMetrics(
    new Registry(),
    () => 0,
    () => 0,
  ),
  now: () => 0,
  ...changes,
});

/** A request that nobody has sent. Its body is there at once. */
function post(url: string, body: unknown, headers: object = {}): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  Object.assign(request, { method: 'POST', url, headers: { 'x-write-key': 'server-key', ...headers }, complete: true });
  request.push(Buffer.isBuffer(body) ? body : JSON.stringify(body));
  request.push(null);
  return request;
}
const track = { event: 'E', userId: 'u1', messageId: 'm1' };

test('nothing is acknowledged before Kafka has it', async () => {
  const stored = Promise.withResolvers<void>();
  const given = Promise.withResolvers<readonly EventCollected[]>();
  const writer: Surroundings['writer'] = {
    write(records) {
      given.resolve(records.map(({ value }) => JSON.parse(String(value)) as EventCollected));
      return stored.promise;
    },
  };
  let answered = false;
  const answering = answer(post('/v1/track', track), around({ writer })).finally(() => {
    answered = true;
  });
  expect(await given.promise).toMatchObject([{ message_id: 'm1' }]);
  await new Promise(setImmediate);
  expect(answered).toBe(false);
  stored.resolve();
  expect(await answering).toMatchObject({ status: 200 });
});

describe('what is not the sender’s fault is a 503, and never a 401', () => {
  test.each([
    ['nothing is known yet', undefined],
    ['there is no source yet', knowing()],
  ])('%s', async (_, known) => {
    expect(await answer(post('/v1/track', track), around({ known: () => known }))).toMatchObject({ status: 503 });
  });
});

describe('what would be refused each time is a 413, since SDKs come back with the rest', () => {
  test.each([
    ['overloaded', 503],
    ['unavailable', 503],
    ['too_large', 413],
  ] as const)('%s: %i', async (code, status) => {
    const writer = { write: () => Promise.reject(new NotTaken(code, 'no')) };
    const { status: got, body: said } = await answer(post('/v1/track', track), around({ writer }));
    expect([got, JSON.parse(String(said))]).toMatchObject([status, { code }]);
  });

  test('a context that is too much for all of its events together', async () => {
    const context = { a: 'x'.repeat(50_000) };
    const batch = (events: number) => ({ context, batch: Array(events).fill({ ...track, type: 'track' }) });
    expect(await answer(post('/v1/batch', batch(6)), around())).toMatchObject({ status: 200 });
    expect(await answer(post('/v1/batch', batch(9)), around())).toMatchObject({ status: 413 });
  });
});

test('no more is in hand than may be, as it came and unpacked; what was answered is let go', async () => {
  const inHand = new BytesInHand(20_000);
  const stored = Promise.withResolvers<void>();
  const one = around({ inHand, writer: { write: () => stored.promise } });
  const large = { ...track, x: 'x'.repeat(15_000) };
  const others = () => [
    post('/v1/track', large),
    post('/v1/track', gzipSync(JSON.stringify(large)), { 'content-encoding': 'gzip' }),
    post('/v1/track', deflateSync(JSON.stringify(large)), { 'content-encoding': 'deflate' }),
  ];

  const waiting = answer(post('/v1/track', large), one);
  for (const request of others()) {
    const { status, headers } = await answer(request, around({ inHand }));
    expect([status, headers['retry-after']]).toEqual([503, '2']);
  }
  stored.resolve();
  expect(await waiting).toMatchObject({ status: 200 });
  for (const request of others()) expect(await answer(request, around({ inHand }))).toMatchObject({ status: 200 });
});

test('a body that comes byte by byte takes more than its bytes; one that could never be taken is not asked to come back', async () => {
  const request = new IncomingMessage(new Socket());
  Object.assign(request, { method: 'POST', url: '/v1/track', headers: { 'x-write-key': 'server-key' } });
  const answering = answer(request, around({ inHand: new BytesInHand(20_000) }));
  for (let n = 0; n < 1_000; n++) {
    request.push('x');
    await new Promise(setImmediate);
  }
  expect(await answering).toMatchObject({ status: 413 });
});

function get(url: string, headers: object = {}): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  return Object.assign(request, { method: 'GET', url, headers, complete: true });
}
const dataOf = (event: unknown): string => Buffer.from(JSON.stringify(event)).toString('base64url');

describe('a pixel is always an image, and what became of it is counted', () => {
  test.each([
    ['stored', `data=${dataOf({ ...track, writeKey: 'server-key' })}`, 200],
    ['with the key beside its data', `writeKey=server-key&data=${dataOf(track)}`, 200],
    ['in base64 that was not escaped', `writeKey=server-key&data=${btoa('{"event":"~~>>","userId":"u"}')}`, 200],
    ['without data', 'writeKey=server-key', 400],
    ['of an event that is rejected', 'writeKey=server-key&data=e30', 200],
    ['broken', 'writeKey=server-key&data=AAAA', 400],
    ['of nobody', `data=${dataOf(track)}`, 401],
  ])('%s', async (_, query, counted) => {
    const { status, headers, body, counted: really } = await answer(get(`/v1/pixel/track?${query}`), around());
    expect([status, headers['content-type'], really]).toEqual([200, 'image/gif', counted]);
    expect(body.slice(0, 6).toString()).toBe('GIF89a');
    expect(headers['tributary-error'] === undefined).toBe(counted === 200);
  });
});

const limited = (changes: object): Surroundings['known'] => {
  const settings = definitionKinds.source.parse({
    writeKeys: [{ key: 'server-key' }, { key: 'other-key' }],
    ...changes,
  });
  const sources = knowing({ kind: 'source', name: 'limited', version: 1, body: settings } as never);
  return () => sources;
};

test('a key that has used up its rate is told when to come back; the source’s other key is not', async () => {
  let now = 0;
  const one = around({ known: limited({ rateLimit: { eventsPerSecond: 2, burst: 4 } }), now: () => now });
  const batch = { batch: Array(10).fill({ ...track, type: 'track' }) };
  expect(await answer(post('/v1/batch', batch), one)).toMatchObject({ status: 200 });
  const refused = await answer(post('/v1/track', track), one);
  expect([refused.status, refused.headers['retry-after']]).toEqual([429, '4']);
  expect(JSON.parse(String(refused.body))).toMatchObject({ code: 'rate_limited' });
  expect(
    await answer(post('/v1/track', { ...track, writeKey: 'server-key' }, { 'x-write-key': '' }), one),
  ).toMatchObject({
    status: 429,
  });
  expect(await answer(post('/v1/track', track, { 'x-write-key': 'other-key' }), one)).toMatchObject({ status: 200 });
  now = 4_000;
  expect(await answer(post('/v1/track', track), one)).toMatchObject({ status: 200 });
});

test('only the addresses that a source names may send for it, as the trusted proxy says', async () => {
  const one = around({ known: limited({ allowedAddresses: ['203.0.113.0/24'] }), trustedProxies: 1 });
  const from = (address: string) => answer(post('/v1/track', track, { 'x-forwarded-for': address }), one);
  expect(await from('203.0.113.9')).toMatchObject({ status: 200 });
  // What the sender itself wrote there is not believed.
  const refused = await from('203.0.113.9, 198.51.100.1');
  expect([refused.status, JSON.parse(String(refused.body)).code]).toEqual([403, 'address_not_allowed']);
  expect(await answer(post('/v1/track', track), one)).toMatchObject({ status: 403 });
});

describe('a source takes webhooks or events', () => {
  const hooked = limited({ webhook: { events: [{ when: 'properties.a = 1', map: { event: 'E', userId: 'u1' } }] } });

  test('its key opens no other door', async () => {
    const one = around({ known: hooked });
    expect(await answer(post('/v1/webhook', { a: 1 }), one)).toMatchObject({ status: 200 });
    for (const path of ['track', 'batch']) {
      const { status, body: said } = await answer(post(`/v1/${path}`, track), one);
      expect([status, JSON.parse(String(said)).code]).toEqual([403, 'wrong_endpoint']);
    }
    expect(await answer(get(`/v1/pixel/track?writeKey=server-key&data=${dataOf(track)}`), one)).toMatchObject({
      counted: 403,
    });
    expect(await answer(post('/v1/webhook', {}), around())).toMatchObject({ status: 403 });
  });

  test('what no rule wants is a 200, counts against the rate, and is counted', async () => {
    const registry = new Registry();
    const one = around({
      known: limited({
        rateLimit: { eventsPerSecond: 1, burst: 1 },
        webhook: { events: [{ when: 'properties.a = 1', map: { event: 'E', userId: 'u1' } }] },
      }),
      metrics: new CollectorMetrics(
        registry,
        () => 0,
        () => 0,
      ),
    });
    expect(await answer(post('/v1/webhook', { a: 2 }), one)).toMatchObject({ status: 200 });
    expect(await answer(post('/v1/webhook', { a: 2 }), one)).toMatchObject({ status: 429 });
    expect(await registry.metrics()).toContain(
      'tributary_collector_events_total{source="limited",outcome="dropped",reason="no_rule"} 1',
    );
  });
});

test.each([
  ['/v1/webhook', { webhook: { events: [{ map: { event: 'E', userId: 'u1' } }] } }],
  ['/v1/bulk?format=jsonl', {}],
  ['/v1/track', {}],
])('%s: requests that are read at the same time share the rate', async (path, settings) => {
  const one = around({ known: limited({ ...settings, rateLimit: { eventsPerSecond: 1, burst: 1 } }) });
  const answers = await Promise.all([answer(post(path, track), one), answer(post(path, track), one)]);
  expect(answers.map(({ status }) => status)).toEqual([200, 429]);
});

describe('Segment’s browser SDK', () => {
  const script = '/analytics.js/v1/server-key/analytics.min.js';
  const [part] = browserSdk.parts.keys();

  test('is given for a key that may be used, packed where that is understood, and not again where it is there', async () => {
    const plain = await answer(get(script), around());
    expect([plain.status, plain.headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8']);
    expect(String(plain.body)).toMatch(/^!function\(\)\{var s=document\.currentScript/);
    const packed = await answer(get(script, { 'accept-encoding': 'gzip, deflate, br' }), around());
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    expect(gunzipSync(packed.body)).toEqual(plain.body);
    expect(await answer(get(script, { 'accept-encoding': 'gzip;q=0' }), around())).toEqual(plain);
    const again = await answer(get(script, { 'if-none-match': plain.headers.etag }), around());
    expect([again.status, again.body]).toEqual([304, '']);
  });

  test('is the same for every page: what a cache keeps of one serves the others', async () => {
    const known = limited({ allowedOrigins: ['https://shop.example'] });
    for (const origin of ['https://shop.example', 'https://other.example'])
      expect((await answer(get(script, { origin }), around({ known }))).headers).toMatchObject({
        'access-control-allow-origin': '*',
        vary: 'Accept-Encoding',
      });
  });

  test('has parts that are kept for ever, and nothing else of its folder', async () => {
    const { status, headers } = await answer(get(`/analytics-next/bundles/${part}`), around());
    expect([status, headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable']);
    for (const name of ['index.js', `${part}.map`, '%2e%2e%2findex.js', '..%2f..%2f..%2fpackage.json', 'constructor'])
      expect(await answer(get(`/analytics-next/bundles/${name}`), around())).toMatchObject({ status: 404 });
  });

  test.each([
    ['a key of nobody', '/analytics.js/v1/other/analytics.min.js', 404, 'unknown_write_key', knowing(server)],
    ['a key that is off', script, 404, 'unknown_write_key', limited({ enabled: false })()],
    ['no source yet', script, 503, 'unavailable', knowing()],
  ])('%s: %s is a %i', async (_, url, status, code, known) => {
    const refused = await answer(get(url), around({ known: () => known }));
    expect([refused.status, JSON.parse(String(refused.body))]).toMatchObject([status, { code }]);
  });
});

describe('Segment’s browser SDK is sent to where it asks', () => {
  const settings = (headers: object, trustedProxies = 0) =>
    answer(get('/v1/projects/server-key/settings', headers), around({ trustedProxies }));

  test('with the protocol that a trusted proxy says', async () => {
    const asked = { host: 'events.shop.example', 'x-forwarded-proto': 'https' };
    for (const [proxies, protocol] of [[0, 'http'] as const, [1, 'https'] as const]) {
      const { body: said, headers } = await settings(asked, proxies);
      expect(JSON.parse(String(said))).toEqual({
        integrations: { 'Segment.io': { apiKey: 'server-key', apiHost: 'events.shop.example/v1', protocol } },
        metrics: { sampleRate: 0 },
      });
      // Whoever forges a host is the only one to be sent there.
      expect(headers['cache-control']).toBe('no-store');
    }
  });

  test.each([undefined, 'user@evil.example', 'evil.example/x?'])('and nowhere by the host %s', async (host) => {
    expect(await settings({ host })).toMatchObject({ status: 400 });
  });
});
