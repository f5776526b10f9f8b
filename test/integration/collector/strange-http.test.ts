import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { addresses } from '../../support/addresses.ts';
import { type CollectorProcess, defineSources, startCollector } from '../../support/collector-process.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { RawConnection } from '../../support/raw-connection.ts';
import { readAll } from '../../support/read-all.ts';

const ORIGIN = 'https://shop.example.com';

let installation: Installation;
let collector: CollectorProcess;

beforeAll(async () => {
  installation = await createInstallation(addresses());
  await defineSources(installation, { shop: { writeKeys: [{ key: 'shop-key' }], allowedOrigins: [ORIGIN] } });
  collector = await startCollector(addresses(), installation.prefix);
  await collector.ready();
  return async () => {
    await collector.stop();
    await installation.close();
  };
});

const event = (messageId: string, more = ''): string => `{"event":"E","userId":"u1","messageId":"${messageId}"${more}}`;
/** A request's head: that of a track call with its key, unless another first line is given. */
const head = (headers: readonly string[], first = 'POST /v1/track HTTP/1.1'): string =>
  [first, 'host: x', 'x-write-key: shop-key', ...headers, '', ''].join('\r\n');
const post = (body: string, ...headers: string[]): string =>
  head([`content-length: ${body.length}`, ...headers]) + body;
const packed = (encoding: string, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from(head([`content-encoding: ${encoding}`, `content-length: ${body.length}`])), body]);
const chunked = (chunks: string): string => head(['transfer-encoding: chunked']) + chunks;
const times = (text: string, count: number): string => text.repeat(count);
const bomb = gzipSync(Buffer.alloc(4_000_000, 0x20));

/** What is said, and the statuses and codes of the answers; `stored` stands for an event that was taken. */
const strange: readonly [name: string, said: string | Uint8Array, ...answers: string[]][] = [
  ['a half-closed connection', post(event('half-closed')), 'stored'],
  ['a body that is shorter than it was to be', post(event('shorter')).slice(0, -3), '400 invalid_http'],
  ['headers that break off', 'POST /v1/track HTT', '400 invalid_http'],
  ['nothing at all', ''],
  [
    'three requests at once',
    post(event('first')) + post(event('second')) + post('{'),
    'stored',
    'stored',
    '400 invalid_json',
  ],
  ['a header that is too large', head([`x: ${times('x', 20_000)}`]), '431 headers_too_large'],
  ['a header too many', head([times('a: b\r\n', 3_000)]), '431 headers_too_large'],
  [
    'an address that is too long',
    head([], `GET /v1/pixel/track?data=${times('A', 20_000)} HTTP/1.1`),
    '431 headers_too_large',
  ],
  ['an address that is long', head([], `GET /${times('A', 10_000)} HTTP/1.1`), '404 not_found'],
  ['two lengths', head(['content-length: 4', 'content-length: 5']), '400 invalid_http'],
  ['a length and chunks', `${head(['content-length: 4', 'transfer-encoding: chunked'])}0\r\n\r\n`, '400 invalid_http'],
  ['a transfer encoding that is none', head(['transfer-encoding: xchunked']), '400 invalid_http'],
  ['chunks that are not the last encoding', head(['transfer-encoding: chunked, gzip']), '400 invalid_http'],
  ['a length below nothing', head(['content-length: -1']), '400 invalid_http'],
  ['a length beyond all numbers', head([`content-length: ${times('9', 30)}`]), '400 invalid_http'],
  ['a length of a gigabyte', `${head(['content-length: 1000000000'])}{`, '413 too_large', '400 invalid_http'],
  [
    'chunks without end',
    chunked(`100000\r\n${times('x', 0x10_0000)}\r\n`.repeat(5)),
    '413 too_large',
    '400 invalid_http',
  ],
  ['a chunk of no length', chunked('zz\r\n{}'), '400 invalid_http'],
  ['a chunk of endless length', chunked(`${times('f', 20)}\r\n{}`), '400 invalid_http'],
  ['a chunk that is longer', chunked('2\r\n{}x\r\n0\r\n\r\n'), '400 invalid_http'],
  ['a chunk with a long story', chunked(`1;${times('a', 20_000)}`), '400 invalid_http'],
  [
    'chunks of one byte',
    chunked(`${[...event('bytewise')].map((byte) => `1\r\n${byte}\r\n`).join('')}0\r\n\r\n`),
    'stored',
  ],
  ['trailers without end', chunked(`0\r\n${times('a: b\r\n', 10_000)}`), '431 headers_too_large'],
  ['whoever waits for 100', post(event('continued'), 'expect: 100-continue'), '100', 'stored'],
  ['whoever waits for something else', post(event('expecting'), 'expect: wonders'), 'stored'],
  ['no host', 'POST /v1/track HTTP/1.1\r\nx-write-key: shop-key\r\ncontent-length: 2\r\n\r\n{}', '400 invalid_http'],
  ['HTTP 1.0', head([`content-length: ${event('old').length}`], 'POST /v1/track HTTP/1.0') + event('old'), 'stored'],
  ['HTTP 0.9', 'GET /health\r\n', '400 invalid_http'],
  ['HTTP 2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '400 invalid_http'],
  ['TLS', Buffer.from('16030100f8010000f40303', 'hex'), '400 invalid_http'],
  ['another protocol', post(event('upgraded'), 'connection: upgrade', 'upgrade: h2c'), 'stored'],
  ['a proxy’s work', head([], 'CONNECT a.example:443 HTTP/1.1'), '405 method_not_allowed'],
  ['the address of another', head([], 'GET http://a.example/ HTTP/1.1'), '404 not_found'],
  ['a space in a name', head(['a b: c']), '400 invalid_http'],
  ['a folded header', head(['a: b\r\n c']), '400 invalid_http'],
  ['lines that end otherwise', 'POST /v1/track HTTP/1.1\nhost: x\n\n', '400 invalid_http'],
  ['a zero byte', head(['a: \0']), '400 invalid_http'],
  [
    'a key that is not ASCII',
    Buffer.from('POST /v1/track HTTP/1.1\r\nhost: x\r\nx-write-key: \xff\r\n\r\n', 'latin1'),
    '401 unknown_write_key',
  ],
  [
    'gzip in two parts',
    packed('gzip', Buffer.concat([gzipSync('{"event":"E","userId":"u1",'), gzipSync('"messageId":"parts"}')])),
    'stored',
  ],
  ['gzip of gzip', packed('gzip', gzipSync(gzipSync(event('twice')))), '400 invalid_utf8'],
  ['gzip, twice', packed('gzip, gzip', gzipSync(gzipSync(event('twice')))), '415 unknown_encoding'],
  [
    'gzip with something behind it',
    packed('gzip', Buffer.concat([gzipSync(event('behind')), Buffer.from('x')])),
    '400 invalid_encoding',
  ],
  [
    'a bomb of many small ones',
    packed('gzip', Buffer.concat(Array.from({ length: 100 }, () => bomb))),
    '413 too_large',
  ],
  [
    'a great deal of nothing, packed',
    packed('gzip', Buffer.concat(Array(100_000).fill(gzipSync('')))),
    '400 invalid_json',
  ],
  ['deflate', packed('deflate', deflateSync(event('deflated'))), 'stored'],
  ['deflate without its head', packed('deflate', deflateRawSync(event('raw'))), '400 invalid_encoding'],
  ['a name of the language itself', packed('__proto__', Buffer.from(event('proto'))), '415 unknown_encoding'],
  [
    '400,000 names',
    post(`{"event":"E","userId":"u1",${Array.from({ length: 400_000 }, (_, i) => `"${i}":1`).join(',')}}`),
    '413 too_large',
  ],
  ['one name, again and again', post(event('repeated', times(',"context":{"ip":"1"}', 20_000))), 'stored'],
  ['nested a million times', post(`{"event":${times('[', 1_000_000)}`), '400 invalid_json'],
  ['a number without end', post(event('number', `,"properties":{"n":${times('9', 400_000)}}`)), 'stored'],
  [
    '250,000 parameters',
    post(event('parameters', `,"context":{"page":{"search":"?utm_source=x${times('&a', 240_000)}"}}`)),
    'stored',
  ],
];

test.each(strange)('%s', async (_, said, ...expected) => {
  const connection = await RawConnection.open(collector.url);
  connection.socket.end(said);
  const answers = await connection.answers();
  expect(
    answers.map(({ status, body }) =>
      status === 100 ? '100' : status === 200 ? 'stored' : `${status} ${JSON.parse(body).code}`,
    ),
  ).toEqual(expected);
  for (const { status, body } of answers) {
    if (status === 200) expect(JSON.parse(body)).toEqual({ success: true });
    if (status >= 400)
      expect(JSON.parse(body)).toEqual({
        code: expect.any(String),
        message: expect.any(String),
        error: expect.any(String),
      });
  }
});

test('what was said to be stored is, nothing else is, and nothing is left behind', async () => {
  const taken = strange.flatMap(([, , ...answers]) => answers).filter((answer) => answer === 'stored');
  const stored = await readAll(installation, topics.eventsCollected);
  expect(stored).toHaveLength(taken.length);
  expect(new Set(stored.map(({ value }) => value?.message_id)).size).toBe(taken.length);
  expect(await readAll(installation, topics.eventsRejected)).toEqual([]);
  const metrics = async () => (await fetch(`${collector.url}/metrics`)).text();
  await expect.poll(metrics).toContain('tributary_collector_bytes_in_hand{service="collector"} 0\n');
  expect(collector.child.exitCode).toBeNull();
});
