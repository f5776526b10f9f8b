import { describe, expect, test } from 'vitest';
import { reachedAt } from './reached-at.ts';

test.each(['events.shop.example', 'localhost:8080', '127.0.0.1:8080', '[::1]:8080', 'EVENTS.example', 'a'])(
  '%s is where a sender came to',
  (host) => {
    expect(reachedAt(host, undefined, 0)).toEqual({ host, protocol: 'http' });
  },
);

test.each([
  undefined,
  '',
  'a b',
  'a/v1',
  'user@evil.example',
  'evil.example#',
  'evil.example?',
  'http://evil.example',
  'a\\b',
  '"><script>',
  'a:b',
  'a:123456',
  '[::1',
  '-a.example',
  '.',
  'ünicode.example',
  `${'a'.repeat(300)}.example`,
])('%s names no host', (host) => {
  expect(reachedAt(host, undefined, 0)).toBeUndefined();
});

describe('a proxy says whether it was https, if it is trusted', () => {
  test.each([
    ['https', 0, 'http'],
    ['https', 1, 'https'],
    ['HTTPS', 1, 'https'],
    ['http', 1, 'http'],
    [undefined, 1, 'http'],
    // What the client wrote itself is further to the left.
    ['https, http', 1, 'http'],
    ['http, https', 1, 'https'],
    ['https, http', 2, 'https'],
    // Many write no list.
    ['https', 2, 'https'],
    ['javascript', 1, 'http'],
  ] as const)('%s behind %i: %s', (forwardedProto, proxies, protocol) => {
    expect(reachedAt('a.example', forwardedProto, proxies)?.protocol).toBe(protocol);
  });
});
