import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recordDecoder } from './decode-record.ts';

const require = createRequire(import.meta.url);
const encode = require('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (record: object) => { buffer: Buffer };
const original = require('kafkajs/src/protocol/recordBatch/record/v0/decoder.js') as Parameters<
  typeof recordDecoder
>[0];
const Decoder = require('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => { buffer: Buffer; offset: number };
const decode = recordDecoder(original);

const part = fc.option(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)));
const record = fc.record({
  offsetDelta: fc.nat(5_000),
  timestampDelta: fc.oneof(fc.nat(1_000), fc.integer({ min: -2_000_000_000_000, max: 2_000_000_000_000 })),
  key: part,
  value: part,
  headers: fc.oneof(fc.constant({}), fc.constant({ a: '1', b: ['2', '3'] })),
});
const batch = fc.record({
  firstOffset: fc.nat().map(String),
  firstTimestamp: fc.constant('1790000000000'),
  maxTimestamp: fc.constant('1790000000500'),
  magicByte: fc.constant(2),
  isControlBatch: fc.boolean(),
  timestampType: fc.constantFrom(0, 1),
});

test('as kafkajs decodes it, headers and historic times included', () => {
  fc.assert(
    fc.property(record, batch, (written, around) => {
      const bytes = encode(written).buffer;
      const length = new (class extends Decoder {
        declare readVarInt: () => number;
      })(bytes);
      const size = length.readVarInt();
      const body = bytes.subarray(bytes.length - size);
      expect(decode(new Decoder(body), around)).toEqual(original(new Decoder(body), around));
    }),
  );
});
