import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';

/** What a service says of itself. */
export interface Health {
  /** Empty when ready; else what is missing. */
  readonly notReady: () => readonly string[];
  readonly metrics: Registry;
}

/** Answers one request for `/health`, `/ready` or `/metrics`; undefined for any other path. */
export async function opsAnswer(
  path: string,
  health: Health,
): Promise<{ status: number; type: string; body: string } | undefined> {
  if (path === '/health') return { status: 200, type: 'application/json', body: '{"status":"alive"}' };
  if (path === '/ready') {
    const missing = health.notReady();
    const body = JSON.stringify(missing.length === 0 ? { status: 'ready' } : { status: 'not ready', missing });
    return { status: missing.length === 0 ? 200 : 503, type: 'application/json', body };
  }
  if (path === '/metrics')
    return { status: 200, type: health.metrics.contentType, body: await health.metrics.metrics() };
  return undefined;
}

/** Serves `/health`, `/ready` and `/metrics` until it is closed. */
export async function startOpsServer(host: string, port: number, health: Health): Promise<Server> {
  const server = createServer((request, response) => {
    void opsAnswer((request.url ?? '/').split('?', 1)[0] as string, health).then((answer) => {
      if (!answer || request.method !== 'GET') response.writeHead(answer ? 405 : 404).end();
      else response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
}
