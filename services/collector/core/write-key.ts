/** Where SDKs put the write key, in the order in which it is looked for. */
export interface KeyPlaces {
  readonly authorization: string | undefined;
  readonly header: string | undefined;
  readonly body: unknown;
  readonly query: string | null;
}

/** The write key of a request: Basic user, then `X-Write-Key`, then the body's `writeKey`, then `?writeKey=`. */
export function writeKeyOf({ authorization, header, body, query }: KeyPlaces): string | undefined {
  const basic = authorization && /^Basic\s+(.+)$/i.exec(authorization);
  if (basic) {
    const user = Buffer.from(basic[1] as string, 'base64')
      .toString('utf8')
      .split(':', 1)[0];
    if (user) return user;
  }
  if (header) return header;
  if (typeof body === 'string' && body !== '') return body;
  return query || undefined;
}
