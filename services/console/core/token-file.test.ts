import { expect, test } from 'vitest';
import { readTokens } from './token-file.ts';

const usual = { perSecond: 100, burst: 200 };
const [HERE, THERE] = ['a'.repeat(64), 'b'.repeat(64)];

test('tokens have names, scopes and limits', () => {
  const text = `
tokens:
  - name: shop
    sha256: ${HERE}
    scopes: [profiles:read, events:read]
  - { name: all.of-it, sha256: ${THERE}, scopes: [all], rateLimit: { requestsPerSecond: 1, burst: 5 } }
`;
  const read = readTokens(text, usual);
  if ('errors' in read) throw new Error(read.errors.join());
  expect([...read.grants]).toEqual([
    [HERE, { name: 'shop', scopes: new Set(['profiles:read', 'events:read']), limit: usual }],
    [THERE, { name: 'all.of-it', scopes: expect.any(Set), limit: { perSecond: 1, burst: 5 } }],
  ]);
  expect(read.grants.get(THERE)?.scopes.has('sensitive:read')).toBe(true);
  expect(readTokens('tokens: []', usual)).toEqual({ grants: new Map() });
  expect(readTokens(JSON.stringify({ tokens: [] }), usual)).toEqual({ grants: new Map() });
});

const entry = (fields: object) =>
  JSON.stringify({ tokens: [{ name: 'shop', sha256: HERE, scopes: ['all'], ...fields }] });

test.each([
  ['no tokens', '', /^1:1 tokens: /],
  ['another field', 'tokens: []\ntoken: my-secret-token', /^1:1 has a field that there is not$/],
  ['no YAML', 'tokens: [my-secret-token', /^1:\d+ is no YAML \(\w+\)$/],
  ['a bomb of aliases', `a: &a [x,x,x,x,x,x,x,x,x,x]\n${bomb()}`, /./],
  ['an unknown scope', entry({ scopes: ['my-secret-token'] }), /^1:\d+ tokens.0.scopes.0: must be all or one of /],
  ['no scope', entry({ scopes: [] }), /tokens.0.scopes: must name a scope$/],
  ['a token instead of its hash', entry({ sha256: 'my-secret-token' }), /tokens.0.sha256: must be the SHA-256/],
  ['the name of the own token', entry({ name: 'api-token' }), /tokens.0.name: must not be api-token$/],
  ['no name', 'tokens:\n  - sha256: x\n', /^2:5 tokens.0.name: /],
  ['a rate of nothing', entry({ rateLimit: { requestsPerSecond: 0, burst: 1 } }), /tokens.0.rateLimit/],
])('says where, and never what was written: %s', (_, text, message) => {
  const read = readTokens(text, usual);
  if ('grants' in read) throw new Error('taken');
  expect(read.errors.join('\n')).toMatch(message);
  expect(read.errors.join('\n')).not.toContain('my-secret-token');
});

test('no two share a name or a token', () => {
  const one = { name: 'shop', sha256: HERE, scopes: ['all'] };
  expect(readTokens(JSON.stringify({ tokens: [one, one] }), usual)).toEqual({
    errors: [
      expect.stringMatching(/tokens.1.name: is there twice$/),
      expect.stringMatching(/tokens.1.sha256: is there twice$/),
    ],
  });
});

function bomb(): string {
  return [...'bcdefghi']
    .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join()}]`)
    .join('\n');
}
