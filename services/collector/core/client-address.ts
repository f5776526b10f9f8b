/**
 * The address of the client: the socket's, or, behind `proxies` trusted ones, what the outermost of them wrote into
 * `X-Forwarded-For`. What a client writes there itself is further to the left, and not believed.
 */
export function clientAddress(
  socket: string | undefined,
  forwardedFor: string | undefined,
  proxies: number,
): string | null {
  const direct = socket?.replace(/^::ffff:/, '') ?? null;
  if (proxies === 0 || !forwardedFor) return direct;
  const hops = forwardedFor.split(',').map((hop) => hop.trim());
  return hops.at(-proxies) || hops[0] || direct;
}
