/**
 * What the outermost of `proxies` trusted ones wrote into an `X-Forwarded-…` header, to which each adds at its end. What a client writes
 * there itself is further to the left, and not believed.
 */
export function saidByProxy(header: string | undefined, proxies: number): string | undefined {
  if (proxies === 0 || !header) return undefined;
  const hops = header.split(',').map((hop) => hop.trim());
  return hops.at(-proxies) || hops[0] || undefined;
}

/** It is stored with each event, and whoever gets past the proxies writes what he likes. */
const MOST_ADDRESS = 64;

/** The address of the client: the socket's, or, behind trusted proxies, the one of their `X-Forwarded-For`. */
export const clientAddress = (
  socket: string | undefined,
  forwardedFor: string | undefined,
  proxies: number,
): string | null =>
  saidByProxy(forwardedFor, proxies)?.slice(0, MOST_ADDRESS) ?? socket?.replace(/^::ffff:/, '') ?? null;
