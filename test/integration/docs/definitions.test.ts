import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { validateDefinitions } from '#shared/definitions/validate.ts';

const docs = join(import.meta.dirname, '..', '..', '..', 'docs');
const read = (file: string): string => readFileSync(join(docs, file), 'utf8');

const inPages = globSync('*.md', { cwd: docs }).flatMap((file) =>
  [...read(file).matchAll(/```yaml\n([\s\S]*?)```/g)]
    .map(([, text], i) => [`${file}, ${i + 1}`, text as string] as const)
    .filter(([, text]) => text.includes('kind:')),
);
const inFiles = globSync('examples/**/*.yaml', { cwd: docs }).map((file) => [file, read(file)] as const);

test.each([...inPages, ...inFiles])('the definitions of %s can be applied', (name, text) => {
  const result = validateDefinitions(text, name);
  expect('errors' in result ? result.errors : []).toEqual([]);
});
