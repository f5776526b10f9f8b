import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recordEncoder } from './encode-record.ts';

const original = createRequire(import.meta.url)('kafkajs/src/protocol/recordBatch/record/v0/index.js');
const part = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.constant(null),
);

test('writes the very bytes that kafkajs writes', () => {
  const encode = recordEncoder(() => {
    throw new Error('not this one');
  });
  fc.assert(
    fc.property(
      fc.nat(100_000),
      fc.maxSafeInteger().map((n) => Math.trunc(n / 4)),
      part,
      part,
      (offsetDelta, timestampDelta, key, value) => {
        const record = { offsetDelta, timestampDelta, key, value };
        expect(encode(record).buffer.equals(original(record).buffer)).toBe(true);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('leaves records with headers to kafkajs', () => {
  const record = { key: 'k', value: 'v', headers: { h: 'x' } };
  expect(recordEncoder(original)(record).buffer.equals(original(record).buffer)).toBe(true);
});
