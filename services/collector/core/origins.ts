/** Whether a browser origin matches one of the patterns: `*` is any, `http://localhost:*` any port. */
export const allowsOrigin = (patterns: readonly string[], origin: string): boolean =>
  patterns.some((pattern) => {
    if (pattern === '*' || pattern === origin) return true;
    if (!pattern.endsWith(':*')) return false;
    const host = pattern.slice(0, -2);
    return origin === host || (origin.startsWith(`${host}:`) && /^\d+$/.test(origin.slice(host.length + 1)));
  });

/** With each answer to a browser that may send: SDKs look for when to come back. */
export const forOrigin = (origin: string): Record<string, string> => ({
  'access-control-allow-origin': origin,
  'access-control-expose-headers': 'Retry-After',
  vary: 'Origin',
});

/** More than any SDK sends. */
const MOST_THEIRS = 50;
const HEADERS = 'authorization, content-type, anonymousid, sentat, x-write-key, x-retry-count';

/**
 * What a browser may send, for its preflight.
 * @param wanted the headers that it asks for; RudderStack's `rsa-…` ones are allowed, whatever their names
 */
export function preflightHeaders(origin: string, wanted = ''): Record<string, string> {
  const theirs = wanted
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => /^rsa-[a-z-]{1,40}$/.test(name))
    .slice(0, MOST_THEIRS);
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, POST, OPTIONS',
    'access-control-allow-headers': [HEADERS, ...theirs].join(', '),
    'access-control-max-age': '3600',
    vary: 'Origin',
  };
}
