import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Problem } from '../core/problem.ts';
import type { Question } from '../core/question.ts';
import { type Grant, type Scope, scopeNames } from '../core/scopes.ts';
import { ApiServer } from './api-server.ts';

const token = 'a-token-of-some-length';
let server: ApiServer;
let running: Promise<void>;
let base: string;
let answer: (question: Question, grant: Grant) => Promise<unknown>;
let now = 0;
const lines: string[] = [];

const granted = (name: string, scopes: readonly Scope[], limit?: Grant['limit']): Grant => ({
  name,
  scopes: new Set(scopes),
  limit,
});
const grants = new Map([
  [token, granted('all', scopeNames)],
  ['a-token-for-events', granted('events', ['events:read'])],
  ['a-slow-token', granted('slow', ['profiles:read'], { perSecond: 1, burst: 3 })],
]);

beforeAll(async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  base = `http://127.0.0.1:${port}`;
  server = new ApiServer({
    host: '127.0.0.1',
    port,
    grantOf: (shown) => grants.get(shown),
    now: () => now,
    arrivalMs: 500,
    metrics: new Registry(),
    notReady: () => ['the view of profiles is catching up'],
    answer: (question, grant) => answer(question, grant),
    page: new Map([['/', { type: 'text/html', body: '<title>a page</title>', headers: { 'x-strict': 'yes' } }]]),
    live: { take: (_, response) => void response.end('"passing"') },
    log: pino({ level: 'error' }, { write: (line) => void lines.push(line) }),
  });
  running = server.run();
  while (!(await fetch(`${base}/health`).catch(() => undefined)))
    await new Promise((resolve) => setTimeout(resolve, 5));
});
afterAll(async () => {
  await server.stop();
  await running;
});

const ask = async (path: string, init: RequestInit = { headers: { authorization: `Bearer ${token}` } }) => {
  const response = await fetch(base + path, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text && (JSON.parse(text) as unknown) };
};

describe('the read API over HTTP', () => {
  test('answers as JSON what is asked with the token', async () => {
    answer = async (question) => ({ asked: question.part });
    expect(await ask('/v1/profiles/user_id%3A42/traits')).toMatchObject({ status: 200, body: { asked: 'traits' } });
    const head = await ask('/v1/profiles/user_id%3A42', {
      method: 'HEAD',
      headers: { authorization: `bearer ${token}` },
    });
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers.get('content-length')).toBe('19');
  });

  test.each([
    ['no token', undefined],
    ['a wrong one', 'Bearer another-token'],
    ['half of it', `Bearer ${token.slice(0, 5)}`],
    ['more than it', `Bearer ${token}x`],
    ['another scheme', `Basic ${token}`],
    ['nothing after the scheme', 'Bearer '],
  ])('asks for the token: %s', async (_, authorization) => {
    answer = async () => 'a secret';
    const refused = await ask('/v1/profiles/user_id%3A42', authorization ? { headers: { authorization } } : {});
    expect(refused).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } });
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
  });

  test('tells nobody without the token which addresses there are', async () => {
    expect(await ask('/v1/nothing', {})).toMatchObject({ status: 401 });
    expect(await ask('/v1/nothing')).toMatchObject({ status: 404, body: { error: { code: 'no_such_route' } } });
  });

  test('refuses in words what it cannot answer', async () => {
    answer = async () => {
      throw new Problem(503, 'warehouse_unavailable', 'ClickHouse does not answer this now');
    };
    expect(await ask('/v1/profiles/user_id%3A42/events')).toMatchObject({
      status: 503,
      body: { error: { code: 'warehouse_unavailable', message: 'ClickHouse does not answer this now' } },
    });
    const post = await ask('/v1/profiles/user_id%3A42', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(post).toMatchObject({ status: 405, body: { error: { code: 'method_not_allowed' } } });
    expect(post.headers.get('allow')).toBe('GET, HEAD');
  });

  test('keeps to itself what went wrong inside', async () => {
    answer = async () => {
      throw new Error('secret detail');
    };
    const failed = await ask('/v1/profiles/user_id%3A42');
    expect(failed).toMatchObject({ status: 500, body: { error: { code: 'internal' } } });
    expect(JSON.stringify(failed.body)).not.toContain('secret detail');
  });

  test('gives the page to anybody, and what passes to nobody without the token', async () => {
    const page = await fetch(`${base}/`);
    expect(await page.text()).toBe('<title>a page</title>');
    expect(page.headers.get('x-strict')).toBe('yes');
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await ask('/', { method: 'POST' })).toMatchObject({ status: 401 });
    expect(await ask('/v1/live', {})).toMatchObject({ status: 401 });
    expect(await ask('/v1/live')).toMatchObject({ status: 200, body: 'passing' });
    const half = { headers: { authorization: 'Bearer a-token-for-events' } };
    expect(await ask('/v1/live', half)).toMatchObject({ status: 403 });
    expect(await ask('/v1/live?since=1')).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_parameter' } },
    });
  });

  test('answers operations without the token', async () => {
    expect(await ask('/health', {})).toMatchObject({ status: 200 });
    expect(await ask('/ready', {})).toMatchObject({
      status: 503,
      body: { missing: ['the view of profiles is catching up'] },
    });
    expect((await fetch(`${base}/metrics`)).status).toBe(200);
  });

  test('a token opens only what its scopes say; what it lacks is named', async () => {
    answer = async (_, { name }) => ({ name });
    const of = (path: string, shown = 'a-token-for-events') =>
      ask(path, { headers: { authorization: `Bearer ${shown}` } });
    expect(await of('/v1/profiles/user_id%3A42/events')).toMatchObject({ status: 200, body: { name: 'events' } });
    const refused = await of('/v1/profiles/user_id%3A42/history');
    expect(refused).toMatchObject({
      status: 403,
      body: {
        error: { code: 'forbidden', message: 'the token lacks the scope profiles:read and identity:read' },
      },
    });
    expect(refused.headers.get('www-authenticate')).toContain('scope="profiles:read identity:read"');
    // What is asked is not even read.
    expect(await of('/v1/profiles/nonsense')).toMatchObject({ status: 403 });
    expect(await of('/v1/openapi.json')).toMatchObject({ status: 200 });
    expect(await ask('/v1/profiles/user_id%3A42', { headers: { 'x-api-key': token } })).toMatchObject({ status: 200 });
    expect(
      await ask('/v1/profiles/user_id%3A42', { headers: { 'x-api-key': token, authorization: 'Bearer wrong' } }),
    ).toMatchObject({ status: 401 });
    expect(lines.join('')).not.toContain('a-token-');
  });

  test('a token may come as often as its rate says; a batch counts as as many as it asks for', async () => {
    answer = async () => ({});
    const of = (path: string, init: RequestInit = {}) =>
      ask(path, { ...init, headers: { authorization: 'Bearer a-slow-token' } });
    expect((await of('/v1/profiles/user_id%3A42')).status).toBe(200);
    const profiles = ['user_id:1', 'user_id:2', 'user_id:3', 'user_id:4'];
    expect((await of('/v1/profiles/batch', { method: 'POST', body: JSON.stringify({ profiles }) })).status).toBe(200);
    const refused = await of('/v1/profiles/user_id%3A42');
    expect(refused).toMatchObject({ status: 429, body: { error: { code: 'rate_limited' } } });
    expect(refused.headers.get('retry-after')).toBe('3');
    expect((await ask('/v1/profiles/user_id%3A42')).status, 'others do not wait').toBe(200);
    now += 3_000;
    expect((await of('/v1/profiles/user_id%3A42')).status).toBe(200);
  });

  test('tells by an ETag what it has answered, and nothing again', async () => {
    const of = (tag?: string, method = 'GET') =>
      ask('/v1/profiles/user_id%3A42', {
        method,
        headers: { authorization: `Bearer ${token}`, ...(tag ? { 'if-none-match': tag } : {}) },
      });
    answer = async () => ({ version: 1 });
    const first = await of();
    const tag = first.headers.get('etag') as string;
    expect(tag).toMatch(/^"[\w-]{27}"$/);
    expect(first.headers.get('cache-control')).toBe('private, no-cache');
    for (const named of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const again = await of(named);
      expect(again, named).toMatchObject({ status: 304, body: '' });
      expect(again.headers.get('etag')).toBe(tag);
    }
    expect(await of(tag, 'HEAD')).toMatchObject({ status: 304, body: '' });
    expect(await of('"other"')).toMatchObject({ status: 200 });
    answer = async () => ({ version: 2 });
    expect(await of(tag)).toMatchObject({ status: 200, body: { version: 2 } });
    answer = async () => ({ events: [] });
    const events = await ask('/v1/profiles/user_id%3A42/events');
    expect([events.headers.get('etag'), events.headers.get('cache-control')]).toEqual([null, 'no-store']);
  });

  test('refuses bodies that are too large or compressed, before it holds them', async () => {
    answer = async (question) => question;
    const post = (body: BodyInit, headers: Record<string, string> = {}) =>
      ask('/v1/profiles/batch', {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${token}`, ...headers },
        ...({ duplex: 'half' } as object),
      });
    expect(await post('{"profiles":["user_id:1"]}')).toMatchObject({ status: 200, body: { part: 'batch' } });
    const refused = { status: 413, body: { error: { code: 'too_large' } } };
    expect(await post('x'.repeat(300_000))).toMatchObject(refused);
    // Without a length.
    const endless = new ReadableStream({ pull: (stream) => stream.enqueue(Buffer.alloc(65_536)) });
    expect(await post(endless).catch((error: Error) => error.message)).toEqual(
      expect.toSatisfy((answered) => answered === 'fetch failed' || answered.status === 413),
    );
    expect(await post('{}', { 'content-encoding': 'gzip' })).toMatchObject({ status: 415 });
  });

  test.each([
    [
      'a body that does not come',
      `POST /v1/profiles/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 9\r\n\r\n{`,
      408,
      'timed_out',
    ],
    ['headers that do not end', 'GET /v1/profiles/user_id%3A42 HTTP/1.1\r\nHost: x\r\n', 408, 'timed_out'],
    ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
    ['no HTTP', 'hello\r\n\r\n', 400, 'invalid_http'],
    [
      'an address that is none',
      `GET %zz%00 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
      400,
      'invalid_http',
    ],
    [
      'bytes that are no text',
      `GET /v1/profiles/user_id%3A%ff%fe HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
      400,
      'invalid_identifier',
    ],
  ])('is not kept waiting, and answers: %s', async (_, text, status, code) => {
    const socket = connect(Number(new URL(base).port), '127.0.0.1');
    socket.write(text);
    let said = '';
    socket.on('data', (data) => {
      said += String(data);
    });
    await once(socket, 'close');
    expect(said).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(said).toContain(`{"error":{"code":"${code}"`);
    expect((await ask('/health', {})).status).toBe(200);
  });
});
