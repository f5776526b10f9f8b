import { afterAll, beforeAll, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { TaskRunner } from '#shared/task/runner.ts';
import { addresses } from '../../support/addresses.ts';
import { countingTask, produceEvents } from '../../support/counting-task.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { readAll } from '../../support/read-all.ts';
import { until } from '../../support/until.ts';

let installation: Installation;
beforeAll(async () => {
  installation = await createInstallation(addresses());
});
afterAll(() => installation.close());

test('an event that cannot be read or processed is rejected with its reason; all others go on', async () => {
  const topic = installation.prefix + topics.eventsCollected.name;
  await produceEvents(installation, 0, 500);
  const producer = installation.kafka.producer();
  await producer.connect();
  const codec = await installation.codecs.ofTopic(topic, 'EventCollected');
  const unknownSchema = Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3]);
  const truncated = Buffer.concat([Buffer.from([0, 0, 0, 0, 0]), Buffer.from([200])]);
  truncated.writeUInt32BE(codec.schemaId, 1);
  await producer.send({
    topic,
    messages: [Buffer.from('not avro'), unknownSchema, truncated].map((value) => ({ key: 'k1', value })),
  });
  // As large as the topic takes: with what is said about it, it would be too large for the next.
  const large = Buffer.alloc(1_048_300, 'x');
  await producer.send({ topic, messages: [{ key: 'k1', value: large }] });
  await producer.disconnect();
  await produceEvents(installation, 500, 500);
  const trouble = ({ message_id }: { message_id: string }): void => {
    if (message_id === 'm7' || message_id === 'm777') throw new Error('a bug that only these events meet');
  };
  const runner = new TaskRunner(countingTask(trouble), installation.host());
  const running = runner.run();
  await until('998 are out', async () => (await readAll(installation, topics.eventsStitched)).length === 998);
  await runner.stop();
  await running;
  const rejected = await readAll(installation, topics.eventsRejected);
  expect(rejected.map(({ value }) => [value?.reason, value?.message_id]).sort()).toEqual([
    ['processing_failed', 'm7'],
    ['processing_failed', 'm777'],
    ['undecodable', null],
    ['undecodable', null],
    ['undecodable', null],
    ['undecodable', null],
  ]);
  const cut = rejected.find(({ value }) => (value?.payload.length ?? 0) > 100_000)?.value;
  expect(cut?.payload.equals(large.subarray(0, 900_000))).toBe(true);
  expect(cut?.message).toMatch(/first 900000 bytes are kept/);
  expect(rejected.find(({ value }) => value?.message_id === 'm7')?.value?.payload.toString()).toBe('{}');
});
