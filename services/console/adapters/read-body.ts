import type { IncomingMessage } from 'node:http';
import { Problem } from '../core/problem.ts';

/** The client went away before all was read: nobody is there to answer. */
export class ClientGone extends Error {}

/** Reads a request's body of at most so many bytes; what is larger is refused before it is held. @throws Problem, ClientGone */
export function readBody(request: IncomingMessage, most: number): Promise<Uint8Array> {
  const tooLarge = new Problem(413, 'too_large', `the body must have at most ${most} bytes`);
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    return Promise.reject(new Problem(415, 'unknown_encoding', 'the body must not be compressed'));
  if (Number(request.headers['content-length'] ?? 0) > most) return Promise.reject(tooLarge);
  return new Promise((resolve, reject) => {
    let pieces: Buffer[] = [];
    let size = 0;
    request.on('data', (piece: Buffer) => {
      size += piece.length;
      if (size <= most) pieces.push(piece);
      else {
        pieces = [];
        reject(tooLarge);
      }
    });
    request.on('end', () => resolve(Buffer.concat(pieces)));
    request.on('error', (error) => reject(new ClientGone('the request broke off', { cause: error })));
    request.on('close', () => {
      if (!request.complete) reject(new ClientGone('the request broke off'));
    });
  });
}
