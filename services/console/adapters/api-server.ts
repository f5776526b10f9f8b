import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Histogram } from 'prom-client';
import type { Log } from '#shared/service/log.ts';
import { type Health, opsAnswer } from '#shared/service/ops-server.ts';
import type { Service } from '#shared/service/service.ts';
import { Problem } from '../core/problem.ts';
import { type Question, questionOf } from '../core/route.ts';
import type { LiveStream } from './live-stream.ts';
import type { PageFile } from './page-files.ts';

export interface ApiOptions extends Health {
  readonly host: string;
  readonly port: number;
  /** What callers must show. */
  readonly token: string;
  /** @throws Problem */
  readonly answer: (question: Question) => Promise<unknown>;
  /** Files that anybody may have, by path. */
  readonly page: ReadonlyMap<string, PageFile>;
  readonly live: Pick<LiveStream, 'take'>;
  readonly log: Log;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The read API over HTTP: every answer is JSON, every refusal `{"error": {"code", "message"}}`. */
export class ApiServer implements Service {
  readonly name = 'read API';
  readonly #options: ApiOptions;
  readonly #server: Server;
  readonly #expected: Buffer;
  readonly #seconds: Histogram<'part' | 'status'>;
  readonly #closed = Promise.withResolvers<void>();

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#expected = digest(options.token);
    this.#seconds = new Histogram({
      name: 'tributary_api_request_seconds',
      help: 'How long requests to the read API took',
      labelNames: ['part', 'status'],
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      registers: [options.metrics],
    });
    this.#server = createServer((request, response) => void this.#handle(request, response));
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
    const send = (status: number, type: string, body: string, headers: Record<string, string> = {}): void => {
      response.writeHead(status, {
        'content-type': type,
        'content-length': Buffer.byteLength(body),
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        ...headers,
      });
      response.end(request.method === 'HEAD' ? undefined : body);
      end({ part, status });
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
      if (!this.#isAllowed(request.headers.authorization))
        throw new Problem(401, 'unauthorized', 'show the token: Authorization: Bearer …');
      if (path === '/v1/live') {
        part = 'live';
        this.#options.live.take(request, response);
        return;
      }
      const question = questionOf(request.method ?? 'GET', target);
      part = question.part;
      send(200, 'application/json', JSON.stringify(await this.#options.answer(question)));
    } catch (error) {
      const problem =
        error instanceof Problem ? error : new Problem(500, 'internal', 'this went wrong; the log tells why');
      if (problem.status >= 500 && problem.code !== 'not_ready')
        this.#options.log.error({ err: problem.cause ?? error, part }, problem.message);
      const headers: Record<string, string> = {};
      if (problem.status === 401) headers['www-authenticate'] = 'Bearer';
      if (problem.status === 405) headers.allow = 'GET, HEAD';
      if (response.headersSent) response.destroy();
      else send(problem.status, 'application/json', JSON.stringify(problem.body), headers);
    }
  }

  /** Compares digests in constant time, so that neither length nor content of the token can be felt out. */
  #isAllowed(authorization: string | undefined): boolean {
    const shown = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
    return timingSafeEqual(digest(shown), this.#expected);
  }
}
