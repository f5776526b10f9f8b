/** Whether a browser origin matches one of the patterns: `*` is any, `http://localhost:*` any port. */
export const allowsOrigin = (patterns: readonly string[], origin: string): boolean =>
  patterns.some((pattern) => {
    if (pattern === '*' || pattern === origin) return true;
    if (!pattern.endsWith(':*')) return false;
    const host = pattern.slice(0, -2);
    return origin === host || (origin.startsWith(`${host}:`) && /^\d+$/.test(origin.slice(host.length + 1)));
  });

/** What a browser may send, for its preflight. */
export const preflightHeaders = (origin: string): Record<string, string> => ({
  'access-control-allow-origin': origin,
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-allow-headers':
    'authorization, content-type, anonymousid, sentat, x-write-key, x-retry-count, rsa-anonymous-id, rsa-sent-at, rsa-event-type, rsa-write-key',
  'access-control-max-age': '3600',
  vary: 'Origin',
});
