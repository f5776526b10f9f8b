import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** One request as it arrived. */
export interface Received {
  readonly key: string;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
  /** How many with this key came before. */
  readonly earlier: number;
}

/** What the receiver answers. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds before the answer. */
  readonly afterMs?: number;
  /** `silence`: never answers. `body`: begins an answer and never ends it. `reset`: cuts the connection. */
  readonly instead?: 'silence' | 'body' | 'reset';
}

export interface WebhookReceiver {
  readonly url: string;
  /** All requests, in the order of their arrival. */
  readonly requests: readonly Received[];
  /** Requests answered with 2xx, by idempotency key. */
  readonly accepted: ReadonlyMap<string, number>;
  answerWith(reply: (request: Received) => Reply): void;
  close(): Promise<void>;
}

export interface WebhookReceiverOptions {
  /** 0 is any free port. */
  readonly port?: number;
  /** Answers 401 to a request whose `X-Signature` was not made with it. */
  readonly sharedSecret?: string;
  /** Keep the requests, with their bodies; off where many are expected. */
  readonly keep?: boolean;
  /** Name that it is reached by from elsewhere; then it listens to all of this machine's addresses. */
  readonly reachedAs?: string;
}

const ok = (): Reply => ({ status: 200, body: 'ok' });

function signed(secret: string, body: string, signature: string): boolean {
  const expected = createHmac('sha1', secret).update(body).digest();
  const given = Buffer.from(signature, 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** A local receiver of webhooks that counts what it took in and can be told to fail. */
export async function startWebhookReceiver(options: WebhookReceiverOptions = {}): Promise<WebhookReceiver> {
  const { port = 0, sharedSecret, keep = true, reachedAs } = options;
  const requests: Received[] = [];
  const seen = new Map<string, number>();
  const accepted = new Map<string, number>();
  let reply: (request: Received) => Reply = ok;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const key = String(request.headers['x-idempotency-key'] ?? request.headers['webhook-id'] ?? '');
      const earlier = seen.get(key) ?? 0;
      seen.set(key, earlier + 1);
      const received: Received = { key, body, headers: request.headers, earlier };
      if (keep) requests.push(received);
      const trusted = !sharedSecret || signed(sharedSecret, body, String(request.headers['x-signature'] ?? ''));
      const { status, headers, body: text, afterMs, instead } = trusted ? reply(received) : { status: 401 };
      if (instead === 'silence') return;
      if (instead === 'reset') {
        request.socket.destroy();
        return;
      }
      if (status >= 200 && status < 300 && !instead) accepted.set(key, (accepted.get(key) ?? 0) + 1);
      const answer = (): void => {
        response.writeHead(status, { ...headers });
        if (instead === 'body') response.write('unfinished');
        else response.end(text);
      };
      if (afterMs === undefined) answer();
      else void sleep(afterMs).then(answer);
    });
    request.on('error', () => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, reachedAs ? '0.0.0.0' : '127.0.0.1', resolve);
  });
  return {
    url: `http://${reachedAs ?? '127.0.0.1'}:${(server.address() as AddressInfo).port}/`,
    requests,
    accepted,
    answerWith(next) {
      reply = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
