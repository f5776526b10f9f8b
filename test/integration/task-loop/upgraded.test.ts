import { isDeepStrictEqual } from 'node:util';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Seen } from '#schemas/generated/records.ts';
import { schemaOf } from '#schemas/load.ts';
import { type Topic, topics } from '#schemas/topics.ts';
import { type Codec, Codecs } from '#shared/kafka/codec.ts';
import { DiskState } from '#shared/task/disk-state.ts';
import { LostInfrastructure } from '#shared/task/errors.ts';
import { TaskRunner } from '#shared/task/runner.ts';
import { defineTask } from '#shared/task/task.ts';
import { addresses } from '../../support/addresses.ts';
import { produceEvents } from '../../support/counting-task.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { produce } from '../../support/produce.ts';
import { accountingOf } from '../../support/read-all.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { until } from '../../support/until.ts';

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
  const value = { profile_id: 'p', version: 3, generation: 1 };
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

test('what a version without members has kept is found by one with them, on the same disk', async () => {
  const keeping = (members: object) =>
    defineTask({
      name: 'keeper',
      inputs: { event: topics.eventsCollected },
      outputs: {},
      stores: { seen: { record: 'Seen', ...members } },
      process(inputs, work) {
        for (const input of inputs) {
          const id = Buffer.from(input.value?.message_id ?? '').toString('hex');
          if ('members' in members && work.holds('seen', id)) work.settle(input, 'again');
          else {
            work.put('seen', String(input.offset), { bucket: 0, ids: Buffer.from(id, 'hex') });
            work.settle(input, 'taken');
          }
        }
      },
    });
  const outcomes = async (): Promise<Record<string, number>> => {
    const counts: Record<string, number> = {};
    for (const { outcomes } of await accountingOf(installation))
      for (const [outcome, count] of Object.entries(outcomes)) counts[outcome] = (counts[outcome] ?? 0) + count;
    return counts;
  };
  const host = installation.host();
  const untilDone = async (task: unknown, expected: Record<string, number>): Promise<void> => {
    const runner = new TaskRunner(task, host);
    const running = runner.run();
    await until('all are taken in', async () => isDeepStrictEqual(await outcomes(), expected));
    await runner.stop();
    await running;
  };
  await produceEvents(installation, 0, 100);
  await untilDone(keeping({}), { taken: 100 });
  await produceEvents(installation, 0, 100);
  await untilDone(keeping({ members: ({ ids }: Seen) => [ids.toString('hex')] }), { again: 100, taken: 100 });
});

test('a task that reads one topic more than before goes on in the others, and begins that one at its start', async () => {
  const mine = await createInstallation(addresses());
  const reading = (inputs: Readonly<Record<string, Topic>>) =>
    defineTask({
      name: 'reader',
      inputs,
      outputs: {},
      stores: {},
      process(batch, work) {
        for (const input of batch) work.settle(input, 'read');
      },
    });
  const host = mine.host();
  const untilRead = async (
    inputs: Readonly<Record<string, Topic>>,
    expected: Record<string, number>,
  ): Promise<void> => {
    const runner = new TaskRunner(reading(inputs), host);
    const running = runner.run();
    let last: unknown;
    await until(
      'all are read',
      async () => {
        const counts: Record<string, number> = {};
        for (const totals of await accountingOf(mine)) {
          const topic = totals.topic.replace(mine.prefix, '');
          if (totals.taken > 0) counts[topic] = (counts[topic] ?? 0) + totals.taken;
        }
        last = counts;
        return isDeepStrictEqual(counts, expected);
      },
      undefined,
      () => last,
    );
    await runner.stop();
    await running;
  };
  const mappings = Array.from({ length: 20 }, (_, n) => {
    const key = String(n).padStart(32, '0');
    return { key, value: { hash: key, profile_id: 'p', version: 1, decided_at: 0, generation: 1, edition: 1 } };
  });
  await produceEvents(mine, 0, 100);
  await produce(mine, topics.identityMappings, mappings);
  await untilRead({ event: topics.eventsCollected }, { 'events.collected': 100 });
  await produceEvents(mine, 100, 50);
  await untilRead(
    { event: topics.eventsCollected, mapping: topics.identityMappings },
    { 'events.collected': 150, 'identity.mappings': 20 },
  );
  await mine.close();
});
