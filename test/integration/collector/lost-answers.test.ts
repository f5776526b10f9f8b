import { beforeEach, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { Kafka, logLevel } from '#shared/kafka/client.ts';
import { readPartitions } from '#shared/kafka/read-partitions.ts';
import { createLog } from '#shared/service/log.ts';
import { RecordWriter } from '../../../services/collector/adapters/record-writer.ts';
import { addresses } from '../../support/addresses.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { losingSockets } from '../../support/losing-sockets.ts';

let installation: Installation;

beforeEach(async () => {
  installation = await createInstallation(addresses());
  return () => installation.close();
});

const WRITERS = 8;
const WRITES = 100;

test('whatever is lost of the talk with Kafka, each record is stored once, in its order', async () => {
  const sockets = losingSockets(1, 0.1);
  const { brokers } = addresses();
  const kafka = new Kafka({
    clientId: 'losing',
    brokers: [brokers],
    logLevel: logLevel.NOTHING,
    socketFactory: sockets.open,
  });
  const topic = installation.prefix + topics.eventsCollected.name;
  const limits = { mostBytes: 10_000_000, longestWaitMs: 60_000 };
  const writer = new RecordWriter(kafka, topic, limits, createLog('test', 'silent'));
  const running = writer.run();
  const written = await Promise.all(
    Array.from({ length: WRITERS }, async (_, n) => {
      const names = Array.from({ length: WRITES }, (_, turn) => `${n}/${turn}`);
      for (const [turn, name] of names.entries())
        await writer.write([
          { topic, partition: n % 4, key: `writer ${n}`, value: Buffer.from(name), timestamp: turn },
        ]);
      return names;
    }),
  );
  await writer.stop();
  await running;

  const stored: string[][] = Array.from({ length: WRITERS }, () => []);
  const reader = await readPartitions(installation.kafka, [topic], {
    onLost: (error) => {
      throw error;
    },
    onBatch: async ({ messages }) => {
      for (const { value } of messages) {
        const name = String(value);
        stored[Number.parseInt(name, 10)]?.push(name);
      }
    },
  });
  await reader.caughtUp();
  await reader.stop();
  expect(stored).toEqual(written);
  expect(Object.values(sockets.losses).every((times) => times > 0)).toBe(true);
});
