/** A record ready to be produced. */
export interface OutRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly value: Buffer | null;
  /** Milliseconds. */
  readonly timestamp: number;
}

/** What kafkajs writes for a record besides its key and value; generous. */
const RECORD_OVERHEAD = 80;
/** Below `max.message.bytes` (1 MB), because kafkajs never splits a record batch. */
const CHUNK_BYTES = 800_000;

/** Divides records into sends, none with more than 800 kB for a partition. Order within a partition is kept. */
export function inChunks(records: readonly OutRecord[], limit = CHUNK_BYTES): OutRecord[][] {
  const chunks: OutRecord[][] = [];
  let filled = new Map<string, number>();
  let chunk: OutRecord[] = [];
  for (const record of records) {
    const place = `${record.topic}/${record.partition}`;
    const size = RECORD_OVERHEAD + record.key.length + (record.value?.length ?? 0);
    const before = filled.get(place) ?? 0;
    if (before > 0 && before + size > limit) {
      chunks.push(chunk);
      chunk = [];
      filled = new Map();
    }
    filled.set(place, (filled.get(place) ?? 0) + size);
    chunk.push(record);
  }
  if (chunk.length > 0) chunks.push(chunk);
  return chunks;
}
