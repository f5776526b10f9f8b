/** What a producer is given to send. */
export interface Outgoing {
  readonly key?: string | Buffer | null;
  readonly value?: string | Buffer | null;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** ZigZag: small numbers of either sign become small. Safe integers only. */
const zigZag = (value: number): number => (value >= 0 ? value * 2 : -value * 2 - 1);

function sizeOfVarint(unsigned: number): number {
  let size = 1;
  for (let rest = unsigned; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

function writeVarint(target: Buffer, at: number, unsigned: number): number {
  let rest = unsigned;
  let place = at;
  while (rest >= 128) {
    target[place++] = (rest % 128) + 128;
    rest = Math.floor(rest / 128);
  }
  target[place++] = rest;
  return place;
}

const bytesOf = (part: string | Buffer | null | undefined): number =>
  part == null ? -1 : typeof part === 'string' ? Buffer.byteLength(part) : part.length;

const sizeOfPart = (size: number): number => sizeOfVarint(zigZag(size)) + Math.max(size, 0);

function writePart(target: Buffer, at: number, part: string | Buffer | null | undefined, size: number): number {
  const place = writeVarint(target, at, zigZag(size));
  if (part == null) return place;
  if (typeof part === 'string') target.write(part, place);
  else part.copy(target, place);
  return place + size;
}

/** Attributes, and the number of headers. */
const FIXED = 2;

const sizeOfBody = (timestampDelta: number, offsetDelta: number, keySize: number, valueSize: number): number =>
  FIXED +
  sizeOfVarint(zigZag(timestampDelta)) +
  sizeOfVarint(zigZag(offsetDelta)) +
  sizeOfPart(keySize) +
  sizeOfPart(valueSize);

/*
 * A record of a batch (Kafka protocol, record format 2), without headers:
 * `Length Attributes TimestampDelta OffsetDelta KeyLength Key ValueLength Value HeaderCount`, lengths and deltas as ZigZag varints.
 */

/** Bytes of a record. */
export function sizeOfRecord({ key, value }: Outgoing, timestampDelta: number, offsetDelta: number): number {
  const body = sizeOfBody(timestampDelta, offsetDelta, bytesOf(key), bytesOf(value));
  return sizeOfVarint(zigZag(body)) + body;
}

/** @returns where the record ends. */
export function writeRecord(
  target: Buffer,
  start: number,
  { key, value }: Outgoing,
  timestampDelta: number,
  offsetDelta: number,
): number {
  const keySize = bytesOf(key);
  const valueSize = bytesOf(value);
  let at = writeVarint(target, start, zigZag(sizeOfBody(timestampDelta, offsetDelta, keySize, valueSize)));
  target[at++] = 0;
  at = writeVarint(target, at, zigZag(timestampDelta));
  at = writeVarint(target, at, zigZag(offsetDelta));
  at = writePart(target, at, key, keySize);
  at = writePart(target, at, value, valueSize);
  target[at++] = 0;
  return at;
}
