import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, gunzipSync, inflate } from 'node:zlib';
import type { Refusal } from '../core/refusal.ts';

/** The client went away before all was read: nobody is there to answer. */
export class ClientGone extends Error {}

const decoders = { gzip: promisify(gunzip), 'x-gzip': promisify(gunzip), deflate: promisify(inflate) };
/** What is smaller is unpacked at once: sooner done than handed to another thread. */
const SMALL = 16 * 1024;

/**
 * Reads a request's body, decompressed, up to `most` bytes before and after: a bomb is refused as soon as it has grown that large.
 * @throws ClientGone
 */
export async function readBody(request: IncomingMessage, most: number): Promise<Buffer | Refusal> {
  const tooLarge: Refusal = { status: 413, code: 'too_large', message: `The body has more than ${most} bytes` };
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? '';
  const decode = Object.hasOwn(decoders, encoding) ? decoders[encoding as keyof typeof decoders] : undefined;
  if (!decode && encoding !== '' && encoding !== 'identity')
    return { status: 415, code: 'unknown_encoding', message: 'The content encoding is neither gzip nor deflate' };
  const bytes = await bytesOf(request, most);
  if (!bytes) return tooLarge;
  if (!decode) return bytes;
  try {
    const limit = { maxOutputLength: most };
    return encoding !== 'deflate' && bytes.length < SMALL ? gunzipSync(bytes, limit) : await decode(bytes, limit);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      ? tooLarge
      : { status: 400, code: 'invalid_encoding', message: `The body is not valid ${encoding}` };
  }
}

/** The body as it came; undefined when it is too large. */
function bytesOf(request: IncomingMessage, most: number): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > most) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > most) resolve(undefined);
      else chunks.push(chunk);
    });
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
    request.on('error', (error) => reject(new ClientGone('the request broke off', { cause: error })));
    request.on('close', () => {
      if (!request.complete) reject(new ClientGone('the request broke off'));
    });
  });
}
