import type { Seen } from '#schemas/generated/records.ts';

/** Received times are kept by the hour, so that what is past the window can be dropped a whole chunk at a time. */
export const HOUR = 3_600_000;
const ID_BYTES = 16;
const ENTRY_BYTES = 20;

/** A message id and when it was received. */
export interface SeenEntry {
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly receivedAt: number;
  /** Offset of the event that brought it. */
  readonly offset: number;
}

export const hourOf = (receivedAt: number): number => Math.floor(receivedAt / HOUR);

/** Key of a chunk: hour, then offset of its first entry, both padded, so that the smallest key is the oldest chunk. */
export const chunkKey = (hour: number, offset: number): string =>
  `${String(hour).padStart(8, '0')}/${String(offset).padStart(16, '0')}`;

export const hourOfChunk = (key: string): number => Number(key.slice(0, 8));

/** @param entries all received in the given hour */
export function encodeChunk(hour: number, entries: readonly SeenEntry[]): Seen {
  const bucket = hour * HOUR;
  // Memory of its own: chunks stay in the state's cache, and each would hold on to a whole piece of Node's pool.
  const ids = Buffer.allocUnsafeSlow(entries.length * ENTRY_BYTES);
  let at = 0;
  for (const { id, receivedAt } of entries) {
    ids.write(id, at, ID_BYTES, 'hex');
    ids.writeUInt32BE(receivedAt - bucket, at + ID_BYTES);
    at += ENTRY_BYTES;
  }
  return { bucket, ids };
}

/** The message ids in a chunk, 32 hexadecimal digits each. */
export function idsOfChunk({ ids }: Seen): string[] {
  const found = new Array<string>(ids.length / ENTRY_BYTES);
  for (let i = 0; i < found.length; i++) {
    found[i] = ids.toString('hex', i * ENTRY_BYTES, i * ENTRY_BYTES + ID_BYTES);
  }
  return found;
}

/** When the id was received, as far as this chunk knows. */
export function receivedTimeIn({ bucket, ids }: Seen, id: string): number | undefined {
  const bytes = Buffer.from(id, 'hex');
  for (let at = ids.indexOf(bytes); at !== -1; at = ids.indexOf(bytes, at + 1)) {
    if (at % ENTRY_BYTES === 0) return bucket + ids.readUInt32BE(at + ID_BYTES);
  }
  return undefined;
}

export const entriesIn = ({ ids }: Seen): number => ids.length / ENTRY_BYTES;
