import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '#shared/service/log.ts';
import { type Health, opsAnswer } from '#shared/service/ops-server.ts';
import type { Service } from '#shared/service/service.ts';
import { type Answer, internalError, toBroken, toConnect } from '../core/answers.ts';
import type { CollectorMetrics } from '../metrics.ts';
import { ClientGone } from './read-body.ts';

/** How long to go on answering, not ready, before the port closes: so a load balancer can look away. */
const LEAVE_MS = 200;
/** Longer than a request may wait for Kafka. */
const LAST_ANSWERS_MS = 12_000;

/** Milliseconds. */
type Timeouts = Pick<
  ServerOptions,
  'keepAliveTimeout' | 'headersTimeout' | 'requestTimeout' | 'connectionsCheckingInterval'
> & {
  /** How long nothing may come and nothing go, as where nobody reads the answers. */
  readonly idle: number;
};
const usualTimeouts: Timeouts = {
  keepAliveTimeout: 65_000,
  headersTimeout: 20_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 5_000,
  idle: 90_000,
};
/** Of each connection, before there is a request whose bytes could be counted: 10,000 of them must find room. */
const MOST_HEADER_BYTES = 16 * 1024;

interface Place {
  readonly host: string;
  readonly port: number;
  /** More are closed as they come. */
  readonly mostConnections: number;
}

interface Parts {
  /** @throws ClientGone */
  readonly answer: (request: IncomingMessage) => Promise<Answer>;
  readonly health: Health;
  readonly metrics: CollectorMetrics;
  readonly log: Log;
}

/** The collector's port. When it is told to stop it answers what it has begun. */
export class HttpServer implements Service {
  readonly name = 'http';
  readonly #server: Server;
  readonly #place: Place;
  readonly #parts: Parts;
  readonly #stopped = Promise.withResolvers<void>();
  stopping = false;

  constructor(place: Place, parts: Parts, timeouts = usualTimeouts) {
    this.#place = place;
    this.#parts = parts;
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
      response.on('error', () => undefined);
      void this.#handle(request, response);
    };
    // Without a host it is refused below, in JSON.
    this.#server = createServer({ ...timeouts, maxHeaderSize: MOST_HEADER_BYTES, requireHostHeader: false }, onRequest);
    // Node would answer with a 417 that has no body. Whoever expects something unheard of is served like everybody.
    this.#server.on('checkExpectation', onRequest);
    this.#server.timeout = timeouts.idle;
    // Whoever has said all that he wanted, and closed his half, is still answered. Not in the types of Node, but in `http` since 0.8.
    Object.assign(this.#server, { httpAllowHalfOpen: true });
    this.#server.maxConnections = place.mostConnections;
    this.#server.on('drop', () => parts.metrics.unavailable('too_many_connections'));
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
      turnAway(socket, toBroken(error.code)),
    );
    this.#server.on('connect', (_: IncomingMessage, socket: Socket) => turnAway(socket, toConnect));
  }

  /** Rejects when the port cannot be had. */
  async run(): Promise<void> {
    const { host, port } = this.#place;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          error.code === 'EADDRINUSE' ? new Error(`port ${port} is taken; choose TRIBUTARY_COLLECTOR_PORT`) : error,
        ),
      );
      this.#server.listen(port, host, 1_024, resolve);
    });
    this.#parts.log.info({ host, port: (this.#server.address() as AddressInfo).port }, 'listening');
    await this.#stopped.promise;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await sleep(LEAVE_MS);
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
      setTimeout(() => this.#server.closeAllConnections(), LAST_ANSWERS_MS).unref();
    });
    this.#stopped.resolve();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { answer, health, metrics, log } = this.#parts;
    const began = performance.now();
    try {
      const ops =
        request.method === 'GET' ? await opsAnswer((request.url ?? '/').split('?', 1)[0] as string, health) : undefined;
      const given: Answer = ops
        ? { status: ops.status, headers: { 'content-type': ops.type }, body: ops.body }
        : isWhole(request)
          ? await answer(request)
          : toBroken(undefined);
      const { status, headers, body, counted = status } = given;
      this.#write(request, response, status, headers, body);
      if (!ops) metrics.answered(counted, performance.now() - began);
    } catch (error) {
      if (error instanceof ClientGone) return;
      log.error({ err: error }, 'a request could not be answered');
      const { status, headers, body } = internalError;
      if (!response.headersSent) this.#write(request, response, status, headers, body);
      metrics.answered(status, performance.now() - began);
    }
  }

  #write(
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    headers: Readonly<Record<string, string>>,
    body: string | Buffer,
  ): void {
    const all: Record<string, string | number> = { ...headers };
    if (body !== '') all['content-length'] = Buffer.byteLength(body);
    if (this.stopping) all.connection = 'close';
    response.writeHead(status, all).end(body);
    // What was refused unread is thrown away: a client that still sends would not see its answer.
    if (!request.complete) request.resume();
  }
}

/** HTTP 1.1 requires a host. */
const isWhole = ({ httpVersion, headers }: IncomingMessage): boolean =>
  httpVersion === '1.0' || headers.host !== undefined;

/** Answers where there is no request to answer to, and lets the connection go. */
function turnAway(socket: Socket, { status, headers, body }: Answer): void {
  const all = { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.on('error', () => undefined);
  if (socket.writable) socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('')}\r\n${body}`);
  // Whoever keeps his half open keeps nothing of ours.
  socket.destroySoon();
}
