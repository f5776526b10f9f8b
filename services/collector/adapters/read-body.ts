import type { IncomingMessage } from 'node:http';
import { createGunzip, createInflate, gunzipSync } from 'node:zlib';
import type { Holding } from '../core/bytes-in-hand.ts';
import type { Refusal } from '../core/refusal.ts';

/** The client went away before all was read: nobody is there to answer. */
export class ClientGone extends Error {}

const decoders = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate };
/** What is smaller is unpacked at once: sooner done than handed to another thread. */
const SMALL = 16 * 1024;
/** What a piece takes besides its bytes; generous. A body may come byte by byte. */
const PIECE_OVERHEAD = 500;

const refusals = {
  too_large: { status: 413, code: 'too_large', message: 'The body is too large' },
  overloaded: { status: 503, code: 'overloaded', message: 'Too many requests are being read' },
} as const satisfies Record<string, Refusal>;

/**
 * Reads a request's body, decompressed, up to `most` bytes before and after: a bomb is refused as soon as it has grown that large.
 * @throws ClientGone
 */
export async function readBody(request: IncomingMessage, most: number, holding: Holding): Promise<Buffer | Refusal> {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? '';
  const decoder = Object.hasOwn(decoders, encoding) ? decoders[encoding as keyof typeof decoders] : undefined;
  if (!decoder && encoding !== '' && encoding !== 'identity')
    return { status: 415, code: 'unknown_encoding', message: 'The content encoding is neither gzip nor deflate' };
  const bytes = await bytesOf(request, most, holding);
  if (!decoder || !Buffer.isBuffer(bytes)) return bytes;
  try {
    if (encoding === 'deflate' || bytes.length >= SMALL) return await unpacked(decoder().end(bytes), most, holding);
    const small = gunzipSync(bytes, { maxOutputLength: most });
    const refused = holding.take(small.length);
    return refused ? refusals[refused] : small;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      ? refusals.too_large
      : { status: 400, code: 'invalid_encoding', message: `The body is not valid ${encoding}` };
  }
}

async function unpacked(stream: AsyncIterable<Buffer>, most: number, holding: Holding): Promise<Buffer | Refusal> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stream) {
    size += piece.length;
    const refused = size > most ? 'too_large' : holding.take(piece.length);
    if (refused) return refusals[refused];
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** The body as it came. */
function bytesOf(request: IncomingMessage, most: number, holding: Holding): Promise<Buffer | Refusal> {
  if (Number(request.headers['content-length'] ?? 0) > most) return Promise.resolve(refusals.too_large);
  return new Promise((resolve, reject) => {
    let pieces: Buffer[] | undefined = [];
    let size = 0;
    request.on('data', (piece: Buffer) => {
      if (!pieces) return;
      size += piece.length;
      const refused = size > most ? 'too_large' : holding.take(piece.length + PIECE_OVERHEAD);
      if (refused) {
        pieces = undefined;
        resolve(refusals[refused]);
      } else pieces.push(piece);
    });
    request.on('end', () => {
      if (pieces) resolve(pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces));
    });
    request.on('error', (error) => reject(new ClientGone('the request broke off', { cause: error })));
    request.on('close', () => {
      if (!request.complete) reject(new ClientGone('the request broke off'));
    });
  });
}
