import { request as ask, createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';

/** A request that went through, and what was answered. */
export interface Exchange {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly status: number;
  /** Of the events that it sent. */
  readonly messageIds: readonly string[];
}

export interface RecordingProxy {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** In the order of their answers. */
  readonly exchanges: readonly Exchange[];
  close(): Promise<void>;
}

/** Stands before a collector, passes all on as it came, with the name that it was asked by, and remembers it. */
export async function startRecordingProxy(collector: string): Promise<RecordingProxy> {
  const exchanges: Exchange[] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    // The whole body first: a page that goes away has sent all of it, and waits for nothing.
    const body = await buffer(request).catch(() => undefined);
    if (!body) return;
    const onward = ask(new URL(url, collector), { method, headers, setHost: false }, (answer) => {
      const { statusCode: status = 0 } = answer;
      const path = url.split('?', 1)[0] as string;
      exchanges.push({ method, path, headers, status, messageIds: messageIdsOf(headers, body) });
      response.writeHead(status, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    onward.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exchanges,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function messageIdsOf(headers: IncomingHttpHeaders, body: Buffer): string[] {
  if (body.length === 0) return [];
  const text = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
  const { batch, messageId } = JSON.parse(text.toString()) as { batch?: { messageId: string }[]; messageId?: string };
  return batch ? batch.map((event) => event.messageId) : messageId === undefined ? [] : [messageId];
}
