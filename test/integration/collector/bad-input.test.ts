import { connect } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { addresses } from '../../support/addresses.ts';
import { type CollectorProcess, defineSources, startCollector } from '../../support/collector-process.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { readAll } from '../../support/read-all.ts';

let installation: Installation;
let collector: CollectorProcess;

beforeAll(async () => {
  installation = await createInstallation(addresses());
  await defineSources(installation, {
    server: { writeKeys: [{ key: 'server-key' }, { key: 'old-key', enabled: false }] },
    web: { writeKeys: [{ key: 'web-key' }], allowedOrigins: ['https://shop.example.com'] },
  });
  collector = await startCollector(addresses(), installation.prefix);
  await collector.ready();
  return async () => {
    await collector.stop();
    await installation.close();
  };
});

const basic = (key: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`,
});
const asServer = basic('server-key');

interface Answered {
  readonly status: number;
  readonly json: { readonly code?: string; readonly message?: string; readonly error?: string };
  readonly headers: Headers;
}

async function post(
  path: string,
  body: string | Uint8Array,
  headers: Record<string, string> = asServer,
): Promise<Answered> {
  const answer = await fetch(collector.url + path, { method: 'POST', headers, body: body as BodyInit });
  return { status: answer.status, json: JSON.parse(await answer.text()) as Answered['json'], headers: answer.headers };
}
const track = (messageId: string, more: object = {}): string =>
  JSON.stringify({ type: 'track', event: 'E', userId: 'u1', messageId, ...more });

const stored = async (messageId: string) =>
  (await readAll(installation, topics.eventsCollected)).find(({ value }) => value?.message_id === messageId)?.value;
const rejected = async (messageId: string) =>
  (await readAll(installation, topics.eventsRejected)).find(({ value }) => value?.message_id === messageId)?.value;

describe('a request is refused with a status and a reason, and nothing of it is stored', () => {
  const bomb = gzipSync(Buffer.alloc(200_000_000, 0x20));
  test.each<
    [
      name: string,
      path: string,
      body: string | Uint8Array,
      headers: Record<string, string>,
      status: number,
      code: string,
    ]
  >([
    ['not JSON', '/v1/track', '{"event":', asServer, 400, 'invalid_json'],
    ['empty', '/v1/track', '', asServer, 400, 'invalid_json'],
    ['not an object', '/v1/track', '[{}]', asServer, 400, 'invalid_json'],
    ['nested without end', '/v1/track', '['.repeat(1_000_000), asServer, 400, 'invalid_json'],
    ['a batch that is none', '/v1/batch', '{"batch":{}}', asServer, 400, 'invalid_batch'],
    ['invalid UTF-8', '/v1/track', Buffer.from('{"event":"\xff"}', 'latin1'), asServer, 400, 'invalid_utf8'],
    ['an event that is too large', '/v1/track', track('l1', { x: 'x'.repeat(600_000) }), asServer, 413, 'too_large'],
    ['a body that is too large', '/v1/batch', `{"batch":["${'x'.repeat(5_000_000)}"]}`, asServer, 413, 'too_large'],
    ['a gzip bomb', '/v1/batch', bomb, { ...asServer, 'content-encoding': 'gzip' }, 413, 'too_large'],
    [
      'a small gzip bomb',
      '/v1/batch',
      gzipSync(Buffer.alloc(10_000_000, 0x20)),
      { ...asServer, 'content-encoding': 'gzip' },
      413,
      'too_large',
    ],
    ['no gzip', '/v1/track', track('g1'), { ...asServer, 'content-encoding': 'gzip' }, 400, 'invalid_encoding'],
    [
      'broken gzip',
      '/v1/track',
      gzipSync(track('g2')).subarray(0, 40),
      { ...asServer, 'content-encoding': 'gzip' },
      400,
      'invalid_encoding',
    ],
    [
      'an unknown encoding',
      '/v1/track',
      track('e1'),
      { ...asServer, 'content-encoding': 'zstd' },
      415,
      'unknown_encoding',
    ],
    ['an unknown key', '/v1/track', track('k1'), basic('wrong'), 401, 'unknown_write_key'],
    ['an unknown key in the body', '/v1/track', track('k2', { writeKey: 'wrong' }), {}, 401, 'unknown_write_key'],
    ['no key', '/v1/track', track('k3'), {}, 401, 'unknown_write_key'],
    ['a key that is switched off', '/v1/track', track('k4'), basic('old-key'), 403, 'disabled'],
    [
      'a browser that may not',
      '/v1/track',
      track('o1'),
      { ...basic('web-key'), origin: 'https://evil.example' },
      403,
      'origin_not_allowed',
    ],
    ['another path', '/v1/elsewhere', '{}', asServer, 404, 'not_found'],
  ])('%s', async (_, path, body, headers, status, code) => {
    const answer = await post(path, body, headers);
    expect(answer).toMatchObject({ status, json: { code } });
    expect(answer.json.message).toBeTruthy();
    expect(answer.json.error).toBeTruthy();
  });

  test('a wrong method', async () => {
    const answer = await fetch(`${collector.url}/v1/track`);
    expect(answer.status).toBe(405);
  });

  test('another site learns nothing', async () => {
    const answer = await post('/v1/track', track('o2'), { ...basic('web-key'), origin: 'https://evil.example' });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('and so nothing is there', async () => {
    const records = [
      ...(await readAll(installation, topics.eventsCollected)),
      ...(await readAll(installation, topics.eventsRejected)),
    ];
    const refused = /^[lgeko]\d$/;
    expect(records.filter(({ value }) => refused.test(value?.message_id ?? ''))).toEqual([]);
  });
});

describe('an event is kept with its reason, and the rest of its batch goes on', () => {
  test('no identifier, invalid, not an object, nested too deeply', async () => {
    const deep = `{"type":"track","event":"E","userId":"u1","messageId":"deep","p":${'['.repeat(500)}${']'.repeat(500)}}`;
    const anonymous = track('anonymous', { userId: 'null' });
    const body = `{"batch":[${track('good1')},${anonymous},{"messageId":"typeless","userId":"u1"},null,${deep},${track('good2')}]}`;
    expect(await post('/v1/batch', body)).toMatchObject({ status: 200, json: { success: true } });
    expect(await stored('good1')).toBeDefined();
    expect(await stored('good2')).toBeDefined();
    expect(await rejected('anonymous')).toMatchObject({
      reason: 'no_identifier',
      stage: 'collector',
      source: 'server',
    });
    expect(await rejected('typeless')).toMatchObject({ reason: 'invalid_event' });
    const kept = await rejected('deep');
    expect(kept).toMatchObject({ reason: 'too_deep' });
    expect(String(kept?.payload)).toBe(deep);
    const all = await readAll(installation, topics.eventsRejected);
    expect(all.filter(({ value }) => String(value?.payload) === 'null')).toHaveLength(1);
  });

  test('too large, of a batch', async () => {
    const large = track('large', { x: 'x'.repeat(700_000) });
    const body = `{"batch":[${large},${track('beside')}]}`;
    expect(await post('/v1/batch', body)).toMatchObject({ status: 200 });
    expect(await stored('beside')).toBeDefined();
    expect(String((await rejected('large'))?.payload)).toBe(large);
  });
});

describe('what is odd is stored', () => {
  test.each([
    ['far ahead', { timestamp: '2290-01-01T00:00:00.000Z' }, ['future_timestamp']],
    ['before all time', { timestamp: '-271821-04-20T00:00:00.000Z' }, ['invalid_timestamp']],
    [
      'after all time',
      { timestamp: '+275760-09-13T00:00:00.000Z', sentAt: 1e300 },
      ['invalid_timestamp', 'invalid_sent_at'],
    ],
    ['no time', { timestamp: { $date: 5 } }, ['invalid_timestamp']],
    [
      'a clock of the past century',
      { timestamp: '1970-01-01T00:00:10Z', sentAt: '1970-01-01T00:00:20Z' },
      ['clock_skew'],
    ],
  ])('times: %s', async (name, times, flags) => {
    expect(await post('/v1/track', track(name, times))).toMatchObject({ status: 200 });
    const event = await stored(name);
    expect(event?.flags).toEqual(flags);
    expect(Math.abs((event?.timestamp ?? 0) - (event?.received_at ?? 0))).toBeLessThanOrEqual(10_000);
  });

  test('keys that would change prototypes change nothing', async () => {
    const body =
      '{"type":"track","event":"E","userId":"u1","messageId":"proto","__proto__":{"polluted":true},"context":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}';
    expect(await post('/v1/batch', `{"context":{"__proto__":{"polluted":true}},"batch":[${body}]}`)).toMatchObject({
      status: 200,
    });
    expect((await stored('proto'))?.payload).toBe(body);
    expect(await post('/v1/track', track('after'))).toMatchObject({ status: 200 });
  });

  test('lone surrogates, control characters and a byte order mark', async () => {
    const body = '\ufeff{"type":"track","event":"\\ud800","userId":"u\\u00001","messageId":"odd","x":"\\udfff"}';
    expect(await post('/v1/track', body)).toMatchObject({ status: 200 });
    const event = await stored('odd');
    expect(event?.identifiers).toMatchObject([{ type: 'user_id', value: 'u1' }]);
    expect(event?.payload).toContain('"event":"\\ud800"');
  });

  test('a chunked body, gzip and deflate', async () => {
    const chunks = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const part of track('chunked').match(/.{1,7}/g) ?? []) controller.enqueue(Buffer.from(part));
        controller.close();
      },
    });
    const init = { method: 'POST', headers: asServer, body: chunks, duplex: 'half' };
    expect((await fetch(`${collector.url}/v1/track`, init as RequestInit)).status).toBe(200);
    expect(await stored('chunked')).toBeDefined();
    for (const [encoding, pack] of [
      ['gzip', gzipSync],
      ['deflate', deflateSync],
    ] as const) {
      const headers = { ...asServer, 'content-encoding': encoding };
      expect(await post('/v1/track', pack(track(encoding)), headers)).toMatchObject({ status: 200 });
      expect(await stored(encoding)).toBeDefined();
    }
  });
});

test('what is not HTTP, and clients that leave in the middle, do no harm', async () => {
  const port = Number(new URL(collector.url).port);
  const answerTo = (text: string, leave = false): Promise<string> =>
    new Promise((resolve) => {
      let answer = '';
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(text, () => leave && socket.destroy());
      });
      socket.on('data', (chunk) => {
        answer += String(chunk);
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(answer));
    });
  expect(await answerTo('nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
  await answerTo(
    'POST /v1/track HTTP/1.1\r\nhost: x\r\nauthorization: Basic c2VydmVyLWtleTo=\r\ncontent-length: 100\r\n\r\n{"a',
    true,
  );
  expect(await post('/v1/track', track('still there'))).toMatchObject({ status: 200 });
  expect((await fetch(`${collector.url}/health`)).status).toBe(200);
  const metrics = await (await fetch(`${collector.url}/metrics`)).text();
  expect(metrics).toMatch(
    /tributary_collector_events_total\{source="server",outcome="rejected",reason="no_identifier"/,
  );
  expect(metrics).not.toContain('server-key');
  expect(collector.child.exitCode).toBeNull();
});
