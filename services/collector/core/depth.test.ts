import { expect, test } from 'vitest';
import { deeperThan } from './depth.ts';

test.each([
  ['{}', 1, false],
  ['{"a":[]}', 1, true],
  ['{"a":[]}', 2, false],
  [`{"a":${'[1],'.repeat(50)}[]}`.replace('{"a":', '[').replace(/}$/, ']'), 2, false],
  ['{"a":"[[[[\\"[[[["}', 1, false],
  ['{"a":"\\\\","b":[[[1]]]}', 3, true],
  [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 100, true],
  [`${'['.repeat(100)}${']'.repeat(100)}`, 100, false],
])('%#', (text, most, expected) => {
  JSON.parse(text);
  expect(deeperThan(text, most)).toBe(expected);
});
