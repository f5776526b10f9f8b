import { hash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { Histogram } from 'prom-client';
import type { Log } from '#shared/service/log.ts';
import { type Health, opsAnswer } from '#shared/service/ops-server.ts';
import { RateLimits } from '#shared/service/rate-limits.ts';
import type { Service } from '#shared/service/service.ts';
import { Problem } from '../core/problem.ts';
import type { AnswerableQuestion, Question } from '../core/question.ts';
import { arrivalOf } from '../core/route.ts';
import type { Grant, Scope } from '../core/scopes.ts';
import type { LiveStream } from './live-stream.ts';
import type { PageFile } from './page-files.ts';
import { ClientGone, readBody } from './read-body.ts';

export interface ApiOptions extends Health {
  readonly host: string;
  readonly port: number;
  /** What whoever shows a token may do; undefined where nobody has it. */
  readonly grantOf: (token: string) => Grant | undefined;
  /** @throws Problem */
  readonly answer: (question: AnswerableQuestion, grant: Grant) => Promise<unknown>;
  /** Milliseconds. */
  readonly now: () => number;
  /** Files that anybody may have, by path. */
  readonly page: ReadonlyMap<string, PageFile>;
  readonly live: Pick<LiveStream, 'take'>;
  readonly log: Log;
  /** How long a request may take to arrive, milliseconds. */
  readonly arrivalMs?: number;
}

const ARRIVAL_MS = 15_000;

/** The read API over HTTP: every answer is JSON, every refusal `{"error": {"code", "message"}}`. */
export class ApiServer implements Service {
  readonly name = 'read API';
  readonly #options: ApiOptions;
  readonly #server: Server;
  readonly #rates = new RateLimits();
  readonly #seconds: Histogram<'part' | 'status'>;
  readonly #closed = Promise.withResolvers<void>();

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#seconds = new Histogram({
      name: 'tributary_api_request_seconds',
      help: 'How long requests to the read API took',
      labelNames: ['part', 'status'],
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      registers: [options.metrics],
    });
    const arrival = options.arrivalMs ?? ARRIVAL_MS;
    this.#server = createServer(
      {
        headersTimeout: arrival,
        requestTimeout: arrival,
        connectionsCheckingInterval: arrival / 5,
        keepAliveTimeout: 65_000,
      },
      (request, response) => void this.#handle(request, response),
    );
    this.#server.on('clientError', turnAway);
  }

  async run(): Promise<void> {
    const { port, host, log } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    log.info({ port }, 'the read API listens');
    await this.#closed.promise;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
    });
    this.#closed.resolve();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const end = this.#seconds.startTimer();
    let part = 'none';
    const send = (status: number, type: string, body: string, headers: Readonly<Record<string, string>> = {}): void => {
      const isBare = request.method === 'HEAD' || status === 304;
      response.writeHead(status, {
        'content-type': type,
        ...(status === 304 ? {} : { 'content-length': Buffer.byteLength(body) }),
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        ...headers,
      });
      response.end(isBare ? undefined : body);
      end({ part, status });
      // What was refused unread is thrown away: a client that still sends would not see its answer.
      if (!request.complete) request.resume();
    };
    try {
      const target = request.url ?? '/';
      const path = target.split('?', 1)[0] as string;
      const ops = await opsAnswer(path, this.#options);
      if (ops) {
        part = 'ops';
        send(ops.status, ops.type, ops.body);
        return;
      }
      const file = request.method === 'GET' || request.method === 'HEAD' ? this.#options.page.get(path) : undefined;
      if (file) {
        part = 'page';
        send(200, file.type, file.body, file.headers);
        return;
      }
      const grant = this.#grantOf(request);
      this.#assertWithinRate(grant);
      const { route, question } = arrivalOf(request.method ?? 'GET', target);
      part = route.part;
      assertAllowed(grant, route.scopes);
      const asked = question(route.body && (await readBody(request, route.body.most)));
      if (asked.part === 'live') {
        this.#options.live.take(request, response);
        return;
      }
      this.#take(grant, asked);
      const body = JSON.stringify(await this.#options.answer(asked, grant));
      if (!route.tagged) send(200, 'application/json', body);
      else {
        const etag = `"${hash('sha1', body, 'base64url')}"`;
        const headers = { etag, 'cache-control': 'private, no-cache', vary: 'authorization, x-api-key' };
        send(isNamedIn(request.headers['if-none-match'], etag) ? 304 : 200, 'application/json', body, headers);
      }
    } catch (error) {
      if (error instanceof ClientGone) return;
      const problem =
        error instanceof Problem ? error : new Problem(500, 'internal', 'this went wrong; the log tells why');
      if (problem.status >= 500 && problem.code !== 'not_ready')
        this.#options.log.error({ err: problem.cause ?? error, part }, problem.message);
      if (response.headersSent) response.destroy();
      else send(problem.status, 'application/json', JSON.stringify(problem.body), problem.headers);
    }
  }

  /** @throws Problem */
  #grantOf({ headers }: IncomingMessage): Grant {
    const key = headers['x-api-key'];
    const token = headers.authorization
      ? /^Bearer +(\S+)$/i.exec(headers.authorization)?.[1]
      : Array.isArray(key)
        ? undefined
        : key;
    const grant = token ? this.#options.grantOf(token) : undefined;
    if (!grant)
      throw new Problem(401, 'unauthorized', 'show the token: Authorization: Bearer …', {
        'www-authenticate': 'Bearer',
      });
    return grant;
  }

  /** @throws Problem */
  #assertWithinRate({ name, limit }: Grant): void {
    const wait = limit ? this.#rates.wait(name, limit, this.#options.now()) : 0;
    if (wait > 0)
      throw new Problem(429, 'rate_limited', 'the token has used up its rate', { 'retry-after': String(wait) });
    if (limit) this.#rates.take(name, limit, 1, this.#options.now());
  }

  /** A batch counts as as many requests as it asks for profiles. */
  #take({ name, limit }: Grant, question: Question): void {
    if (limit && question.part === 'batch' && question.profiles.length > 1)
      this.#rates.take(name, limit, question.profiles.length - 1, this.#options.now());
  }
}

/** @throws Problem */
function assertAllowed({ scopes }: Grant, needed: readonly Scope[]): void {
  const missing = needed.filter((scope) => !scopes.has(scope));
  if (missing.length > 0)
    throw new Problem(403, 'forbidden', `the token lacks the scope ${missing.join(' and ')}`, {
      'www-authenticate': `Bearer error="insufficient_scope", scope="${needed.join(' ')}"`,
    });
}

/** Whether the header of a request names this tag. */
function isNamedIn(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);
}

/** Answers what did not even become a request. */
function turnAway({ code }: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const problem =
    code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? new Problem(408, 'timed_out', 'the request did not arrive in time')
      : code === 'HPE_HEADER_OVERFLOW'
        ? new Problem(431, 'headers_too_large', 'the headers are too large')
        : new Problem(400, 'invalid_http', 'this is not HTTP');
  const body = JSON.stringify(problem.body);
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
