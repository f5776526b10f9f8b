import type { Seen } from '#schemas/generated/records.ts';

const HOUR = 3_600_000;
const ID_BYTES = 16;
const ENTRY_BYTES = 20;
/**
 * Ids of so many offsets in a row share a chunk, so that where events are few, and each comes in a batch of its own, no id costs a
 * whole record for ever. Each such batch writes the chunk again: it must stay small.
 */
const CHUNK_OFFSETS = 32;

/** A message id and when it was received. */
export interface SeenEntry {
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly receivedAt: number;
  /** Offset of the event that brought it. */
  readonly offset: number;
}

const hourOf = (receivedAt: number): number => Math.floor(receivedAt / HOUR);

/** The chunk that an id belongs to: the hour in which it was received, then the first of its offsets. */
export const chunkKey = ({ receivedAt, offset }: SeenEntry): string =>
  `${String(hourOf(receivedAt)).padStart(8, '0')}/${String(offset - (offset % CHUNK_OFFSETS)).padStart(16, '0')}`;

/** @param entries at least one, all of this chunk, none of which it has */
export function extended(before: Seen | undefined, entries: readonly SeenEntry[]): Seen {
  const bucket = hourOf((entries[0] as SeenEntry).receivedAt) * HOUR;
  const start = before?.ids.length ?? 0;
  // Memory of its own: chunks stay in the state's cache, and each would hold on to a whole piece of Node's pool.
  const ids = Buffer.allocUnsafeSlow(start + entries.length * ENTRY_BYTES);
  before?.ids.copy(ids);
  let at = start;
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
