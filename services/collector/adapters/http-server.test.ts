import { connect } from 'node:net';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SUCCESS } from '../core/answers.ts';
import { CollectorMetrics } from '../metrics.ts';
import { HttpServer } from './http-server.ts';
import { readBody } from './read-body.ts';

let server: HttpServer;
let running: Promise<void>;
let port: number;

beforeAll(async () => {
  const listening = Promise.withResolvers<number>();
  const registry = new Registry();
  server = new HttpServer(
    { host: '127.0.0.1', port: 0 },
    {
      answer: async (request) => {
        await readBody(request, 1_000);
        return SUCCESS;
      },
      health: { metrics: registry, notReady: () => [] },
      metrics: new CollectorMetrics(registry, () => 0),
      log: pino({}, { write: (line) => listening.resolve((JSON.parse(line) as { port: number }).port) }),
    },
    { headersTimeout: 100, requestTimeout: 200, connectionsCheckingInterval: 20 },
  );
  running = server.run();
  port = await listening.promise;
});
afterAll(async () => {
  await server.stop();
  await running;
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
  ['endless headers', `POST /v1/t HTTP/1.1\r\nx: ${'x'.repeat(40_000)}`, 431, 'headers_too_large'],
  ['what is not HTTP', 'nonsense\r\n\r\n', 400, 'invalid_http'],
])('%s: an answer that SDKs understand, and the connection is let go', async (_, text, status, code) => {
  const [head, body] = (await answerTo(text)).split('\r\n\r\n') as [string, string];
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(head).toMatch(/^connection: close$/m);
  expect(head).toMatch(new RegExp(`^content-length: ${body.length}\r?$`, 'm'));
  expect(JSON.parse(body)).toEqual({ code, message: expect.any(String), error: expect.any(String) });
});
