import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { until } from '../../../test/support/until.ts';
import { Tokens } from './tokens.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const fileOf = (...names: string[]): string =>
  JSON.stringify({
    tokens: names.map((name) => ({ name, sha256: sha256(`token-of-${name}`), scopes: ['events:read'] })),
  });

test('a new file is taken; a broken one or none leaves the one before in force, and no token is ever told', async () => {
  const path = join(temporaryDirectory(), 'tokens.yaml');
  writeFileSync(path, fileOf('shop'));
  const lines: string[] = [];
  const log = pino({}, { write: (line) => void lines.push(line) });
  const tokens = new Tokens({ own: 'the-token-of-the-house', path, limit: undefined, log, lookMs: 5 });
  const running = tokens.run();
  onTestFinished(async () => {
    await tokens.stop();
    await running;
  });
  expect(tokens.grantOf('the-token-of-the-house')).toMatchObject({ name: 'api-token' });
  expect(tokens.grantOf('token-of-shop')).toMatchObject({ name: 'shop', scopes: new Set(['events:read']) });
  for (const wrong of ['', 'token-of-till', sha256('token-of-shop'), 'token-of-shop '])
    expect(tokens.grantOf(wrong), wrong).toBeUndefined();

  writeFileSync(path, fileOf('till'));
  await until('the new file is taken', () => tokens.grantOf('token-of-till') !== undefined);
  expect(tokens.grantOf('token-of-shop'), 'who is not in it any more').toBeUndefined();

  const said = (text: string) =>
    until(
      text,
      () => lines.some((line) => line.includes(text)),
      5_000,
      () => lines,
    );
  writeFileSync(path, '{"tokens":[{"name":"shop","sha256":"token-of-shop","scopes":["all"]}]}');
  await said(`${path}:1:36 tokens.0.sha256: must be the SHA-256`);
  expect(tokens.grantOf('token-of-till')).toBeDefined();
  rmSync(path);
  await said('ENOENT');
  expect(tokens.grantOf('token-of-till')).toBeDefined();
  writeFileSync(path, fileOf('shop'));
  await until('the mended one is taken', () => tokens.grantOf('token-of-shop') !== undefined);
  expect(lines.join('')).not.toContain('token-of-');
  expect(lines.filter((line) => line.includes('ENOENT'))).toHaveLength(1);
});

test('a broken file at the start is fatal', () => {
  const path = join(temporaryDirectory(), 'tokens.yaml');
  const start = () =>
    new Tokens({ own: 'the-token-of-the-house', path, limit: undefined, log: pino({ level: 'silent' }) });
  expect(start).toThrow('ENOENT');
  writeFileSync(path, 'tokens: 7');
  expect(start).toThrow(`${path}:1:9 tokens: `);
  writeFileSync(
    path,
    JSON.stringify({ tokens: [{ name: 'me', sha256: sha256('the-token-of-the-house'), scopes: ['all'] }] }),
  );
  expect(start).toThrow('own');
});
