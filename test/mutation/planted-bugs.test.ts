import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plantedBugs } from './planted-bugs.ts';

const root = join(import.meta.dirname, '..', '..');

test.each(plantedBugs)('$name: can be planted, and there are tests to catch it', ({ edits, tests }) => {
  for (const { file, right } of edits)
    expect(readFileSync(join(root, file), 'utf8').split(right).length - 1, `${file}: ${right}`).toBe(1);
  expect(tests.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});
