import { expect, test } from 'vitest';
import { allowsOrigin, preflightHeaders } from './origins.ts';

test.each([
  [['*'], 'https://a.example', true],
  [['https://a.example'], 'https://a.example', true],
  [['https://a.example'], 'http://a.example', false],
  [['https://a.example'], 'https://a.example.evil', false],
  [['http://localhost:*'], 'http://localhost:3000', true],
  [['http://localhost:*'], 'http://localhost', true],
  [['http://localhost:*'], 'http://localhost:3000.evil', false],
  [['http://localhost:*'], 'http://localhost.evil:80', false],
  [[], 'https://a.example', false],
])('%j, %s: %s', (patterns, origin, expected) => {
  expect(allowsOrigin(patterns, origin)).toBe(expected);
});

test('a preflight is told the headers of all SDKs, and of what it asks for only RudderStack’s', () => {
  const allowed = preflightHeaders('https://a.example', 'Authorization, RSA-Event-Name, x-evil')[
    'access-control-allow-headers'
  ];
  expect(allowed).toContain('anonymousid, sentat');
  expect(allowed).toContain('rsa-event-name');
  expect(allowed).not.toContain('evil');
});

test('whoever asks for endless headers is told of a few', () => {
  const wanted = Array.from({ length: 1_000 }, () => 'rsa-name').join(',');
  const allowed = preflightHeaders('https://a.example', wanted)['access-control-allow-headers'];
  expect(allowed?.match(/rsa-name/g)).toHaveLength(50);
});
