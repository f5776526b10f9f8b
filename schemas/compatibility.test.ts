import { readdirSync, readFileSync } from 'node:fs';
import avsc from 'avsc';
import { describe, expect, test } from 'vitest';
import { schemaOf, schemasAsWritten } from './load.ts';

interface Sample {
  readonly schema: avsc.Schema;
  readonly datum: string;
}

const samples = new URL('./samples/', import.meta.url);
const records = [...schemasAsWritten.keys()].map((full) => full.replace(/^tributary\./, ''));
const samplesOf = (record: string): [string, Sample][] =>
  readdirSync(new URL(`${record}/`, samples)).map((file) => [
    file,
    JSON.parse(readFileSync(new URL(`${record}/${file}`, samples), 'utf8')),
  ]);

describe.each(records)('%s', (record) => {
  const today = avsc.Type.forSchema(schemaOf(record) as avsc.Schema);

  test('has a sample of today’s schema (`npm run generate` adds it)', () => {
    const file = `${today.fingerprint('md5').toString('hex').slice(0, 12)}.json`;
    expect(samplesOf(record).map(([name]) => name)).toContain(file);
  });

  test.each(samplesOf(record))('reads the sample %s', (_, { schema, datum }) => {
    const writer = avsc.Type.forSchema(schema);
    const value = today.fromBuffer(Buffer.from(datum, 'base64'), today.createResolver(writer));
    expect(today.isValid(value)).toBe(true);
  });
});
