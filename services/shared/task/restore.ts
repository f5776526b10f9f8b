import type { KafkaClient, KafkaMessage } from '#shared/kafka/client.ts';
import type { Codec } from '#shared/kafka/codec.ts';
import { TOMBSTONE_RETENTION_MS } from '#shared/kafka/provision-topics.ts';
import { readPartitions } from '#shared/kafka/read-partitions.ts';
import type { Log } from '#shared/service/log.ts';
import type { Change, DiskState } from './disk-state.ts';
import { LostInfrastructure } from './errors.ts';
import { MARKER, type TaskSurroundings } from './surroundings.ts';

/** Local state that has lain unused for longer may miss tombstones that the changelog no longer holds. */
const STATE_MAX_AGE_MS = TOMBSTONE_RETENTION_MS / 2;

export interface Restoring {
  readonly state: DiskState;
  readonly partition: number;
  /** Owner in the marker that ends the restore: it was written after everybody else was fenced, so nothing follows it. */
  readonly owner: string;
  /** Kafka cluster that the changelog belongs to. */
  readonly cluster: string;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly around: Pick<TaskSurroundings, 'kafka' | 'changelog' | 'storeCodecs'>;
}

/** Brings the state to where the marker stands in the changelog. @returns the number of records read */
export async function restore(restoring: Restoring): Promise<number> {
  const { state, cluster, log } = restoring;
  const before = state.position;
  if (before && (before.cluster !== cluster || Date.now() - before.at > STATE_MAX_AGE_MS)) await state.clear();
  const { position } = state;
  try {
    return await readToMarker(restoring, position && position.offset + 1);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    log.warn({ reason: error.message }, 'local state does not fit its changelog and is rebuilt');
    await state.clear();
    return readToMarker(restoring, undefined);
  }
}

/** @throws RangeError when the changelog no longer has what comes next */
async function readToMarker(restoring: Restoring, from: number | undefined): Promise<number> {
  const { state, partition, owner, cluster, signal, around } = restoring;
  const {
    kafka,
    changelog,
    storeCodecs,
  }: { kafka: KafkaClient; changelog: string; storeCodecs: ReadonlyMap<string, Codec> } = around;
  const ended = Promise.withResolvers<void>();
  // It may be lost before it is waited for.
  ended.promise.catch(() => undefined);
  const abort = (): void => ended.reject(new LostInfrastructure('let go while restoring'));
  signal.addEventListener('abort', abort, { once: true });
  let read = 0;
  const reading = readPartitions(kafka, [changelog], {
    partitions: [partition],
    ...(from === undefined ? {} : { from: new Map([[`${changelog}/${partition}`, from]]) }),
    onLost: ended.reject,
    onBatch: async ({ messages }) => {
      const last = messages.at(-1);
      if (!last) return;
      read += messages.length;
      const changes = changesOf(messages, storeCodecs);
      for (const [store, codec] of storeCodecs)
        await codec.prepare(changes.filter((change) => change.store === store).map(({ bytes }) => bytes));
      await state.apply(changes, { offset: Number(last.offset), at: Date.now(), cluster });
      const marker = changes.find(({ store }) => store === MARKER)?.bytes;
      const codec = storeCodecs.get(MARKER) as Codec<'Marker'> | undefined;
      if (marker && codec?.decode(marker).owner === owner) ended.resolve();
    },
  });
  try {
    await reading;
    await ended.promise;
  } finally {
    signal.removeEventListener('abort', abort);
    await reading.then((reader) => reader.stop()).catch(() => undefined);
  }
  return read;
}

/** The last change of each key. Stores that the task no longer has are passed over. */
function changesOf(messages: readonly KafkaMessage[], storeCodecs: ReadonlyMap<string, Codec>): Change[] {
  const changes = new Map<string, Change>();
  for (const { key, value } of messages) {
    const place = String(key);
    const slash = place.indexOf('/');
    const store = place.slice(0, slash);
    if (storeCodecs.has(store)) changes.set(place, { store, key: place.slice(slash + 1), bytes: value });
  }
  return [...changes.values()];
}
