import { createHmac, timingSafeEqual } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';

/** Where the sample's deliveries end: takes signed webhooks in and remembers their idempotency keys, also over restarts. */
export interface Receiver {
  readonly port: number;
  readonly url: string;
  /** Requests taken in, by idempotency key. */
  readonly seen: ReadonlyMap<string, number>;
  /** Requests whose signature was wrong. */
  readonly refused: () => number;
  close(): Promise<void>;
}

export interface ReceiverOptions {
  /** Where it listened before, so that its address stays; another is taken when that one is not free. 0: any. */
  readonly port: number;
  readonly sharedSecret: string;
  /** One key a line. */
  readonly file: string;
}

export async function startReceiver({ port, sharedSecret, file }: ReceiverOptions): Promise<Receiver> {
  mkdirSync(dirname(file), { recursive: true });
  const seen = new Map<string, number>();
  const count = (key: string): void => void seen.set(key, (seen.get(key) ?? 0) + 1);
  for (const key of linesOf(file)) count(key);
  let refused = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => response.destroy());
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const key = request.headers['x-idempotency-key'];
      const signature = request.headers['x-signature'];
      if (typeof key !== 'string' || !isSigned(Buffer.concat(chunks), signature, sharedSecret)) {
        refused++;
        response.writeHead(401).end();
        return;
      }
      // On disk before the answer: what was acknowledged is never forgotten.
      appendFileSync(file, `${key}\n`);
      count(key);
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"received":true}');
    });
  });
  await listen(server, port).catch(() => listen(server, 0));
  const taken = (server.address() as AddressInfo).port;
  return {
    port: taken,
    url: `http://127.0.0.1:${taken}/`,
    seen,
    refused: () => refused,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Segment's webhook signs the body with HMAC-SHA-1, in hexadecimal digits. */
function isSigned(body: Buffer, signature: string | string[] | undefined, secret: string): boolean {
  const given = Buffer.from(String(signature ?? ''), 'hex');
  const expected = createHmac('sha1', secret).update(body).digest();
  return given.length === expected.length && timingSafeEqual(given, expected);
}

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
