import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { HttpInterface } from './http-interface.ts';

it.each([{}, { 'Content-Encoding': 'gzip' }])(
  'is done with a client that breaks off its upload: %o',
  async (headers) => {
    // There is no engine: it must not come so far.
    const served = new HttpInterface(undefined as never, {
      user: 'default',
      password: '',
      maxRequestBytes: 1_000_000,
      maxResultBytes: 1_000_000,
      concurrentQueries: 1,
      waitingQueries: 1,
      defaults: {},
    });
    const began = Promise.withResolvers<void>();
    const handled = Promise.withResolvers<void>();
    const server = createServer((asked, response) => {
      served.handle(asked, response).then(handled.resolve, handled.reject);
      asked.once('data', () => began.resolve());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const upload = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      headers,
      path: '/?query=INSERT%20INTO%20t%20FORMAT%20TSV',
    });
    upload.on('error', () => undefined);
    upload.write(gzipSync('x'.repeat(100_000)).subarray(0, 50));
    await began.promise;
    upload.destroy();
    await expect(handled.promise).resolves.toBeUndefined();
    served.close();
    server.close();
  },
);
