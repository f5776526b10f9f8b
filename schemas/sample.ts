/**
 * Keeps a sample of every version of every contract: `samples/<Record>/<fingerprint>.json` with the schema and a datum that it
 * wrote. `compatibility.test.ts` reads them all with today's schemas. `node schemas/sample.ts` adds what is missing.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import avsc from 'avsc';
import { schemaOf, schemasAsWritten } from './load.ts';

for (const full of schemasAsWritten.keys()) {
  const name = full.replace(/^tributary\./, '');
  const schema = schemaOf(name) as avsc.Schema;
  const type = avsc.Type.forSchema(schema);
  const directory = new URL(`./samples/${name}/`, import.meta.url);
  const file = new URL(`${type.fingerprint('md5').toString('hex').slice(0, 12)}.json`, directory);
  if (existsSync(file)) continue;
  mkdirSync(directory, { recursive: true });
  writeFileSync(file, `${JSON.stringify({ schema, datum: type.toBuffer(type.random()).toString('base64') })}\n`);
  console.log(`added ${name}`);
}
