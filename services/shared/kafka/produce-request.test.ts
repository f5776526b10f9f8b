import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Produce, produceRequest } from './produce-request.ts';

const original = createRequire(import.meta.url)('kafkajs/src/protocol/requests/produce/v3/request.js');
const part = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.constant(null),
);
const message = fc.record({
  key: part,
  value: part,
  // kafkajs sorts times as text: of equal length that is the same.
  timestamp: fc.integer({ min: 1_000_000_000_000, max: 1_999_999_999_999 }).map(String),
});
const partition = fc.record({
  partition: fc.nat(1_000),
  firstSequence: fc.nat(2 ** 31 - 1),
  messages: fc.array(message, { minLength: 1, maxLength: 150 }),
});
const produce = fc.record({
  acks: fc.constant(-1),
  timeout: fc.nat(60_000),
  transactionalId: fc.option(fc.string({ unit: 'binary' }).filter((id) => id !== '')),
  producerId: fc.bigInt({ min: -1n, max: 2n ** 63n - 1n }).map(String),
  producerEpoch: fc.nat(32_767),
  topicData: fc.array(
    fc.record({ topic: fc.string(), partitions: fc.array(partition, { minLength: 1, maxLength: 3 }) }),
    { minLength: 1, maxLength: 3 },
  ),
}) as fc.Arbitrary<Produce>;

test('writes the very bytes that kafkajs writes', async () => {
  await fc.assert(
    fc.asyncProperty(produce, async (asked) => {
      const theirs = await original(asked).encode();
      const ours = await produceRequest(original)(asked).encode();
      expect(ours.buffer.equals(theirs.buffer)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('leaves compressed messages, and those with headers, to kafkajs', async () => {
  const asked = (compression: number, headers: Record<string, string>): Produce => ({
    acks: -1,
    timeout: 1,
    compression,
    topicData: [{ topic: 't', partitions: [{ partition: 0, messages: [{ value: 'v', timestamp: '1', headers }] }] }],
  });
  for (const one of [asked(1, {}), asked(0, { h: 'x' })]) {
    const theirs = await original(one).encode();
    expect((await produceRequest(original)(one).encode()).buffer.equals(theirs.buffer)).toBe(true);
  }
});
