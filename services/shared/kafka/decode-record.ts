/** What kafkajs hands to a decoder: where it is in a record's bytes. */
interface Bytes {
  readonly buffer: Buffer;
  offset: number;
}

interface Batch {
  readonly firstOffset: string;
  readonly firstTimestamp: string;
  readonly maxTimestamp: string;
  readonly magicByte: number;
  readonly isControlBatch: boolean;
  /** 1: the time of the log, not of the record. */
  readonly timestampType: number;
}

export interface DecodedRecord {
  readonly magicByte: number;
  readonly attributes: number;
  readonly timestamp: string;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly isControlRecord: boolean;
  readonly batchContext: Batch;
}

const LOG_APPEND_TIME = 1;

/** Where the varint that was read last ends. One reader at a time: nothing here waits. */
let end = 0;

/** A ZigZag varint of any length; exact up to 2^52. */
function readVarint(bytes: Uint8Array, at: number): number {
  let place = at;
  let byte = bytes[place++] as number;
  let unsigned = byte & 127;
  for (let weight = 128; byte >= 128; weight *= 128) {
    byte = bytes[place++] as number;
    unsigned += (byte & 127) * weight;
  }
  end = place;
  return unsigned % 2 === 0 ? unsigned / 2 : -(unsigned + 1) / 2;
}

function readPart(bytes: Buffer, at: number): Buffer | null {
  const size = readVarint(bytes, at);
  if (size < 0) return null;
  const from = end;
  end = from + size;
  return bytes.subarray(from, end);
}

/**
 * A record of a batch (record format 2) with plain numbers; see `encode-record.ts`. kafkajs computes with big integers, byte by byte
 * and two objects each. Records with headers go to kafkajs' own decoder.
 */
export const recordDecoder =
  (original: (decoder: Bytes, batch: Batch) => DecodedRecord) =>
  (decoder: Bytes, batch: Batch): DecodedRecord => {
    const bytes = decoder.buffer;
    const from = decoder.offset;
    const timestampDelta = readVarint(bytes, from + 1);
    const offsetDelta = readVarint(bytes, end);
    const key = readPart(bytes, end);
    const value = readPart(bytes, end);
    if (bytes[end] !== 0 || !Number.isSafeInteger(timestampDelta * 2)) return original(decoder, batch);
    decoder.offset = end + 1;
    const { firstOffset, firstTimestamp, maxTimestamp, timestampType, magicByte, isControlBatch } = batch;
    return {
      magicByte,
      attributes: bytes.readInt8(from),
      timestamp:
        timestampType === LOG_APPEND_TIME && maxTimestamp
          ? maxTimestamp
          : String(Number(firstTimestamp) + timestampDelta),
      offset: String(Number(firstOffset) + offsetDelta),
      key,
      value,
      headers: {},
      isControlRecord: isControlBatch,
      batchContext: batch,
    };
  };
