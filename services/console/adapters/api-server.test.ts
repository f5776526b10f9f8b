import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Problem } from '../core/problem.ts';
import type { Question } from '../core/route.ts';
import { ApiServer } from './api-server.ts';

const token = 'a-token-of-some-length';
let server: ApiServer;
let running: Promise<void>;
let base: string;
let answer: (question: Question) => Promise<unknown>;

beforeAll(async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  base = `http://127.0.0.1:${port}`;
  const lines: string[] = [];
  server = new ApiServer({
    host: '127.0.0.1',
    port,
    token,
    metrics: new Registry(),
    notReady: () => ['the view of profiles is catching up'],
    answer: (question) => answer(question),
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
  });

  test('answers operations without the token', async () => {
    expect(await ask('/health', {})).toMatchObject({ status: 200 });
    expect(await ask('/ready', {})).toMatchObject({
      status: 503,
      body: { missing: ['the view of profiles is catching up'] },
    });
    expect((await fetch(`${base}/metrics`)).status).toBe(200);
  });
});
