import type { Backfill, Sighting } from '#schemas/generated/records.ts';
import { quietTopics, topics, traitFillsTopic } from '#schemas/topics.ts';
import type { LoggedEvent } from '#shared/clickhouse/event-log.ts';
import { mostAtOnce, type ReadSlice } from '#shared/clickhouse/read-ahead.ts';
import { CLAIMS } from '#shared/generations/rebuilt.ts';
import { partitionOf } from '#shared/kafka/partition-of.ts';
import { defineTask, type Stores, type Work } from '#shared/task/task.ts';
import { BoundedMemo } from './core/bounded-memo.ts';
import { Sightings, type Times } from './core/sightings.ts';

/** The event log, with what has expired, too: who was who does not expire. */
interface History {
  ends(): Promise<readonly number[]>;
  reaches(below: readonly number[]): Promise<boolean>;
  count(below: readonly number[]): Promise<number>;
  readonly sliceWithExpired: ReadSlice;
}

export interface ReclaimOptions {
  readonly generation: number;
  readonly history: History;
  /** Offset of `identity.claims` from which on all claims are taken over; before that only decisions are. */
  readonly cut: number;
  /** Told of what kept history from being read; it is tried again. */
  readonly onTrouble: (error: unknown) => void;
  /** Told of the events that were read, and of how many there are. */
  readonly onProgress?: (rows: number, of: number) => void;
  /** About how many events are read in one go. */
  readonly atOnce?: number;
  /** Waits until so many more may be read. */
  readonly pace?: (rows: number, signal: AbortSignal) => Promise<void>;
}

const stores = {
  /** One, under `job`: how much of history was read. */
  job: { record: 'Backfill' },
  /** By claim id. */
  sighting: { record: 'Sighting' },
} as const satisfies Stores;
type ReclaimWork = Work<
  typeof stores,
  { readonly claim: { readonly value: 'IdentityClaim' }; readonly told: { readonly value: 'TraitFill' } }
>;

const JOB = 'job';
const TRY_AGAIN_MS = 1_000;
const MEMO_SIZE = 50_000;
const isResolver = (actor: string): boolean => /^resolver-\d+$/.test(actor);

/**
 * Makes a generation's own claims: what resolvers claimed is claimed anew, from all events that were stitched when it began; decisions, and
 * what came later, are taken over as they were recorded. Events of both kinds are claimed twice, which is as once.
 */
export const createReclaim = ({
  generation,
  history,
  cut,
  onTrouble,
  onProgress,
  atOnce = mostAtOnce,
  pace,
}: ReclaimOptions) => {
  const sighted = new BoundedMemo<Times>(MEMO_SIZE);

  /** Reads a slice of history. */
  async function readOn(
    work: ReclaimWork,
    job: Backfill,
    below: readonly number[],
    signal: AbortSignal,
  ): Promise<Backfill> {
    await pace?.(Math.ceil(job.of / job.slices), signal);
    if (signal.aborted) return job;
    const byPartition = new Map<number, Sightings>();
    const store = {
      get: (id: string) => work.get('sighting', id),
      put: (id: string, sighting: Sighting) => work.put('sighting', id, sighting),
    };
    const see = (event: LoggedEvent): void => {
      const routing = event.identifiers[0];
      if (!routing) return;
      // As the resolver of its partition did: a withdrawn claim has the id that it had.
      const partition = partitionOf(routing.hash, below.length);
      let sightings = byPartition.get(partition);
      if (!sightings) {
        sightings = new Sightings(store, { partition, generation }, sighted, (claim) =>
          work.emit('claim', claim.claim_id, claim, claim.received_at),
        );
        byPartition.set(partition, sightings);
      }
      sightings.see(event);
    };
    let read = 0;
    for await (const events of history.sliceWithExpired(below, job.slice, job.slices)) {
      read += events.length;
      events.forEach(see);
    }
    const next = { ...job, slice: job.slice + 1, rows: job.rows + read };
    onProgress?.(next.rows, next.of);
    const { rows, of } = next;
    const told = {
      ...CLAIMS,
      compute: '',
      time_zone: 'UTC',
      partition: -1,
      partitions: below.length,
      cut: 0,
      rows,
      of,
    };
    work.emit('told', 'claims', { ...told, complete: next.slice >= next.slices }, work.moment.now);
    return next;
  }

  /** What comes next: find out where history ends, wait until ClickHouse has it, read it slice by slice. */
  async function goOn(work: ReclaimWork, signal: AbortSignal): Promise<void> {
    const job = work.get('job', JOB);
    const below = job?.traits[0]?.cuts;
    if (!job || !below) {
      const cuts = await history.ends();
      const traits = [{ trait: '', version: 1, compute: '', time_zone: 'UTC', cuts }];
      work.put('job', JOB, { traits, slices: 0, slice: 0, rows: 0, of: 0 });
      work.goOn();
    } else if (job.slices === 0) {
      if (!(await history.reaches(below))) return work.wakeAt(work.moment.now + TRY_AGAIN_MS);
      const of = await history.count(below);
      work.put('job', JOB, { ...job, of, slices: Math.max(1, Math.ceil(of / atOnce)) });
      work.goOn();
    } else if (job.slice < job.slices) {
      work.put('job', JOB, await readOn(work, job, below, signal));
      work.goOn();
    }
  }

  return defineTask({
    name: 'reclaim',
    inputs: { claim: topics.identityClaims },
    outputs: { claim: quietTopics(generation).identityClaims, told: traitFillsTopic(generation) },
    stores,
    goesOn: true,
    async process(inputs, work, _definitions, signal) {
      for (const input of inputs) {
        const { value, key, offset, timestamp } = input;
        const isTakenOver = !value || offset >= cut || !isResolver(value.actor);
        if (isTakenOver) work.emit('claim', key, value, timestamp);
        work.settle(input, isTakenOver ? 'taken_over' : 'rebuilt');
      }
      try {
        await goOn(work, signal);
      } catch (error) {
        if (!signal.aborted) onTrouble(error);
        work.wakeAt(work.moment.now + TRY_AGAIN_MS);
      }
    },
  });
};
