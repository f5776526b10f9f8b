import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Log } from '#shared/service/log.ts';
import { type Health, opsAnswer } from '#shared/service/ops-server.ts';
import type { Service } from '#shared/service/service.ts';
import type { CollectorMetrics } from '../metrics.ts';
import type { Answer } from '../pipeline.ts';
import { ClientGone } from './read-body.ts';

const OPS = /^\/(health|ready|metrics)(\?|$)/;
/** How long to go on answering, not ready, before the port closes: load balancers look every few seconds. */
const LEAVE_MS = 200;

/** The collector's port. Stops by itself only when asked: then it answers what it has begun. */
export class HttpServer implements Service {
  readonly name = 'http';
  readonly #server: Server;
  readonly #host: string;
  readonly #port: number;
  #stopped: () => void = () => {};
  stopping = false;

  constructor(
    place: { readonly host: string; readonly port: number },
    answer: (request: IncomingMessage) => Promise<Answer>,
    health: Health,
    metrics: CollectorMetrics,
    log: Log,
  ) {
    this.#host = place.host;
    this.#port = place.port;
    const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const began = performance.now();
      try {
        const { status, headers, body } = await answer(request);
        write(response, status, headers, body, this.stopping);
        metrics.answered(status, performance.now() - began);
      } catch (error) {
        if (error instanceof ClientGone) return;
        log.error({ err: error }, 'a request could not be answered');
        const body =
          '{"code":"internal_error","message":"Something went wrong here","error":"Something went wrong here"}';
        if (!response.headersSent) write(response, 500, { 'content-type': 'application/json' }, body, true);
        metrics.answered(500, performance.now() - began);
      }
    };
    this.#server = createServer(
      { keepAliveTimeout: 65_000, headersTimeout: 20_000, requestTimeout: 60_000, maxHeaderSize: 32 * 1024 },
      (request, response) => {
        response.on('error', () => undefined);
        if (!OPS.test(request.url ?? '')) {
          void handle(request, response);
          return;
        }
        void opsAnswer((request.url as string).split('?', 1)[0] as string, health).then((ops) => {
          write(
            response,
            ops?.status ?? 404,
            { 'content-type': ops?.type ?? 'text/plain' },
            ops?.body ?? '',
            this.stopping,
          );
        });
      },
    );
    this.#server.on('clientError', (_, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
    });
  }

  async run(): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      this.#stopped = resolve;
    });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, this.#host, 1024, resolve);
    });
    await stopped;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await new Promise((resolve) => setTimeout(resolve, LEAVE_MS));
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
      setTimeout(() => this.#server.closeAllConnections(), 12_000).unref();
    });
    this.#stopped();
  }
}

function write(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
  close: boolean,
): void {
  const all: Record<string, string | number> = { ...headers, 'content-length': Buffer.byteLength(body) };
  if (close) all.connection = 'close';
  response.writeHead(status, all).end(body);
}
