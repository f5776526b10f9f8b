/** Where SDKs put the write key, in the order in which it is looked for. */
export interface KeyPlaces {
  readonly authorization?: string | undefined;
  /** `X-Write-Key`. */
  readonly header?: string | undefined;
  readonly body?: unknown;
  readonly query?: string | undefined;
}

/** The write key of a request: Basic user (also without its colon), then `X-Write-Key`, then the body's `writeKey`, then `?writeKey=`. */
export function writeKeyOf({ authorization, header, body, query }: KeyPlaces): string | undefined {
  if (authorization !== undefined) {
    const user = basicUser(authorization);
    if (user) return user;
  }
  if (header) return header;
  if (typeof body === 'string' && body !== '') return body;
  return query || undefined;
}

function basicUser(authorization: string): string | undefined {
  if (authorization.slice(0, 6).toLowerCase() !== 'basic ') return undefined;
  return Buffer.from(authorization.slice(6), 'base64').toString('utf8').split(':', 1)[0]?.trim();
}
