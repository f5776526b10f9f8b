import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { schemaOf } from '#schemas/load.ts';
import { type Codec, Codecs } from '#shared/kafka/codec.ts';
import { DiskState } from '#shared/task/disk-state.ts';
import { LostInfrastructure } from '#shared/task/errors.ts';
import { addresses } from '../../support/addresses.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let installation: Installation;
beforeAll(async () => {
  installation = await createInstallation(addresses());
});
afterAll(() => installation.close());

const stores = { plain: { record: 'Resolution' } } as const;
const position = { offset: 1, at: Date.now(), cluster: 'c' };

/** A process that has just started: it knows its own schemas and no others. */
async function opened(path: string): Promise<DiskState> {
  const codec = await new Codecs(addresses().registryUrl).ofRecord(installation.prefix, 'Resolution');
  return new DiskState(path, stores, new Map([['plain', codec as unknown as Codec]]));
}

test('what another version of the software wrote into the local state is read after a start', async () => {
  const path = temporaryDirectory();
  const registry = new SchemaRegistry({ host: addresses().registryUrl });
  const theirs = schemaOf('Resolution') as { fields: object[] };
  const schema = JSON.stringify({ ...theirs, fields: [...theirs.fields, { name: 'other', type: 'int', default: 0 }] });
  const { id } = await registry.register(
    { type: SchemaType.AVRO, schema },
    { subject: `${installation.prefix}internal.Resolution` },
  );
  const value = { profile_id: 'p', version: 3 };
  const bytes = await registry.encode(id, { ...value, other: 7 });

  const before = await opened(path);
  await before.learnSchemas();
  await before.apply([{ store: 'plain', key: 'k', bytes }], position);
  await before.close();
  const after = await opened(path);
  await after.learnSchemas();
  expect(after.get('plain', 'k')).toEqual(value);
  await after.close();
});

test('a state that cannot be read is not the fault of the input that meets it', async () => {
  const state = await opened(temporaryDirectory());
  await state.apply([{ store: 'plain', key: 'k', bytes: Buffer.from('not avro') }], position);
  expect(() => state.get('plain', 'k')).toThrow(LostInfrastructure);
  await state.close();
});
