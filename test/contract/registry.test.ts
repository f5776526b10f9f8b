import { randomUUID } from 'node:crypto';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { expect, test } from 'vitest';
import { schemaOf } from '#schemas/load.ts';
import { Codecs } from '#shared/kafka/codec.ts';
import { requireCompatibility } from '#shared/kafka/require-compatibility.ts';
import { addresses } from '../support/addresses.ts';

const profile = schemaOf('Profile') as { fields: { name: string; type: unknown }[] };

test('the registry takes a schema that grows, and refuses one that could not read what was written', async () => {
  const { registryUrl } = addresses();
  await requireCompatibility(registryUrl);
  const registry = new SchemaRegistry({ host: registryUrl });
  const subject = `${randomUUID()}-value`;
  const register = (fields: unknown[]) =>
    registry.register({ type: SchemaType.AVRO, schema: JSON.stringify({ ...profile, fields }) }, { subject });

  const { id } = await register(profile.fields);
  expect((await register(profile.fields)).id).toBe(id);
  expect((await register([...profile.fields, { name: 'score', type: 'int', default: 0 }])).id).not.toBe(id);
  await expect(register([...profile.fields, { name: 'rank', type: 'int' }])).rejects.toThrow(/[Ii]ncompatible/);
  await expect(
    register(profile.fields.map((field) => (field.name === 'version' ? { ...field, type: 'int' } : field))),
  ).rejects.toThrow(/[Ii]ncompatible/);
});

test('many processes that register the same new subject at once all get it', async () => {
  const { registryUrl } = addresses();
  const prefix = `${randomUUID()}.`;
  const codecs = await Promise.all(
    Array.from({ length: 8 }, () => new Codecs(registryUrl).ofRecord(prefix, 'Accounting')),
  );
  expect(new Set(codecs.map(({ schemaId }) => schemaId)).size).toBe(1);
});
