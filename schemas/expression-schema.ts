/**
 * Writes the JSON Schema of the language of computed traits, from what reads it.
 * `node schemas/expression-schema.ts` writes, `node schemas/expression-schema.ts --check` fails when the file is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { expression } from '#shared/expressions/expression.ts';

const schema = {
  title: 'What a computed trait of Tributary is made of',
  ...z.toJSONSchema(expression, { io: 'input' }),
};
const text = `${JSON.stringify(schema, undefined, 1)}\n`;
const target = new URL('./generated/expression.schema.json', import.meta.url);
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('schemas/generated/expression.schema.json is stale: run `npm run generate`');
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
