import type { IncomingMessage } from 'node:http';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Refusal } from '../core/request.ts';

const decoders = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate, br: createBrotliDecompress };

/** The client went away before all was read: nobody is there to answer. */
export class ClientGone extends Error {}

/**
 * Reads a request's body, decompressed, up to `most` bytes after decompression: a bomb is refused as soon as it has grown that
 * large, and never held whole.
 * @throws ClientGone
 */
export function readBody(request: IncomingMessage, most: number): Promise<Buffer | Refusal> {
  const tooLarge: Refusal = { status: 413, code: 'too_large', message: `The body has more than ${most} bytes` };
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const decoder = Object.hasOwn(decoders, encoding) ? decoders[encoding as keyof typeof decoders]() : undefined;
  if (!decoder && encoding !== 'identity' && encoding !== '') {
    return Promise.resolve({
      status: 415,
      code: 'unknown_encoding',
      message: 'The content encoding is not gzip, deflate or br',
    });
  }
  if (!decoder && Number(request.headers['content-length'] ?? 0) > most) return Promise.resolve(tooLarge);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stream = decoder ? request.pipe(decoder) : request;
    const finish = (result: Buffer | Refusal): void => {
      stream.removeAllListeners('data');
      if (decoder) request.unpipe(decoder);
      decoder?.destroy();
      request.resume();
      resolve(result);
    };
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > most) finish(tooLarge);
      else chunks.push(chunk);
    });
    stream.on('end', () => finish(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    decoder?.on('error', () =>
      finish({ status: 400, code: 'invalid_encoding', message: `The body is not valid ${encoding}` }),
    );
    request.on('error', (error) => reject(new ClientGone('the request broke off', { cause: error })));
    request.on('aborted', () => reject(new ClientGone('the request broke off')));
  });
}
