import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SUCCESS } from '../core/answers.ts';
import { BytesInHand } from '../core/bytes-in-hand.ts';
import { CollectorMetrics } from '../metrics.ts';
import { HttpServer } from './http-server.ts';
import { readBody } from './read-body.ts';

const servers: HttpServer[] = [];
afterAll(() => Promise.all(servers.map((server) => server.stop())));

/** @returns the port of a server that reads each body and says yes */
async function listening(mostConnections: number, timeouts?: ConstructorParameters<typeof HttpServer>[2]) {
  const listens = Promise.withResolvers<number>();
  const registry = new Registry();
  const server = new HttpServer(
    { host: '127.0.0.1', port: 0, mostConnections },
    {
      answer: async (request) => {
        await readBody(request, 1_000, new BytesInHand(1_000).open());
        // Kafka takes its time.
        await sleep(10);
        return request.url === '/large' ? { ...SUCCESS, body: 'x'.repeat(100_000) } : SUCCESS;
      },
      health: { metrics: registry, notReady: () => [] },
      metrics: new CollectorMetrics(
        registry,
        () => 0,
        () => 0,
      ),
      log: pino({}, { write: (line) => listens.resolve((JSON.parse(line) as { port: number }).port) }),
    },
    timeouts,
  );
  servers.push(server);
  server.run().catch(listens.reject);
  return listens.promise;
}

let port: number;
const timeouts = { headersTimeout: 100, requestTimeout: 200, connectionsCheckingInterval: 20, idle: 500 };
beforeAll(async () => {
  port = await listening(100, timeouts);
});

/** Sends a text on a connection that is never ended from this side. @returns what came, once the other side has let it go */
const answerTo = (text: string): Promise<string> =>
  new Promise((resolve) => {
    let answer = '';
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.write(text));
    socket.on('data', (chunk) => {
      answer += String(chunk);
    });
    socket.on('end', () => {
      // A connection that is closed on one side only would go on taking this.
      const writing = setInterval(() => socket.write('x'), 5);
      socket.on('close', () => clearInterval(writing));
    });
    socket.on('error', () => resolve(answer));
  });

test.each([
  ['headers that do not come to an end', 'POST /v1/t', 408, 'timed_out'],
  ['a body that does not', 'POST /v1/t HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{', 408, 'timed_out'],
  ['endless headers', `POST /v1/t HTTP/1.1\r\nx: ${'x'.repeat(20_000)}`, 431, 'headers_too_large'],
  ['what is not HTTP', 'nonsense\r\n\r\n', 400, 'invalid_http'],
  ['whoever wants a proxy', 'CONNECT a.example:443 HTTP/1.1\r\nhost: x\r\n\r\n', 405, 'method_not_allowed'],
])('%s: an answer that SDKs understand, and the connection is let go', async (_, text, status, code) => {
  const [head, body] = (await answerTo(text)).split('\r\n\r\n') as [string, string];
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(head).toMatch(/^connection: close$/m);
  expect(head).toMatch(new RegExp(`^content-length: ${body.length}\r?$`, 'm'));
  expect(JSON.parse(body)).toEqual({ code, message: expect.any(String), error: expect.any(String) });
});

test('a connection too many is closed, and those that are there go on', async () => {
  const port = await listening(2);
  const [one, other] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  await Promise.all([once(one, 'connect'), once(other, 'connect')]);
  await once(connect(port, '127.0.0.1').resume(), 'close');
  one.write('POST /v1/t HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}');
  expect(String(await once(one, 'data'))).toMatch(/^HTTP\/1.1 200 /);
  one.destroy();
  other.destroy();
});

test('whoever closes his half after asking is answered, and let go', async () => {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end('POST /v1/t HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}');
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  expect(answer).toMatch(/^HTTP\/1.1 200 .*{"success":true}$/s);
});

test('whoever reads no answers is let go', async () => {
  const port = await listening(1, timeouts);
  const socket = connect(port, '127.0.0.1').pause();
  socket.on('error', () => undefined);
  socket.write('GET /large HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(500));
  const answers = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/health`).then(
      () => true,
      () => false,
    );
  expect(await answers()).toBe(false);
  while (!(await answers())) await sleep(20);
  socket.destroy();
});
