import type { Backfill, Fill, Identifier, TraitFill } from '#schemas/generated/records.ts';
import { fillsTopic, traitFillsTopic } from '#schemas/topics.ts';
import { partitionOf } from '#shared/kafka/partition-of.ts';
import { defineTask, type Stores, type Work } from '#shared/task/task.ts';
import { inPieces, type Kept, keyOf, united } from './core/cells.ts';
import { none } from './core/sorted.ts';
import { allFolded, type FoldedTrait, TraitsByEvent } from './core/traits-in-force.ts';

/** An event as the log has it. */
export interface LoggedEvent {
  readonly routing: Identifier;
  readonly type: string;
  readonly event: string | null;
  readonly source: string;
  readonly message_id: string;
  /** Milliseconds. */
  readonly timestamp: number;
  /** Milliseconds. */
  readonly received_at: number;
  readonly payload: string;
  readonly profile_id: string;
  readonly mapping_version: number;
  /** Where it was in `events.stitched`. */
  readonly partition: number;
  readonly offset: number;
}

/** The event log: all events that ever were stitched, each once; without those that are known to have expired. */
export interface History {
  /** Whether it has all that stands in `events.stitched` below these offsets, by partition, and knows all that has expired as yet. */
  reaches(below: readonly number[]): Promise<boolean>;
  /** How many events it has of those. */
  count(below: readonly number[]): Promise<number>;
  /** Those whose routing hash is in one of so many equal parts of the space of hashes; in any order. */
  slice(below: readonly number[], slice: number, slices: number): AsyncIterable<LoggedEvent>;
}

export interface BackfillOptions {
  readonly generation: number;
  readonly history: History;
  /** Told of what kept history from being read; it is tried again. */
  readonly onTrouble: (error: unknown) => void;
}

const stores = {
  /** By trait@version/partition: where partitions have begun, of what no history is being read for yet. */
  cut: { record: 'TraitFill' },
  job: { record: 'Backfill' },
} as const satisfies Stores;
type BackfillWork = Work<
  typeof stores,
  { readonly fill: { readonly value: 'Fill' }; readonly told: { readonly value: 'TraitFill' } }
>;

const JOB = 'job';
/** About how many events are read at once. */
const EVENTS_AT_ONCE = 5_000;
const TRY_AGAIN_MS = 1_000;

/**
 * Reads history for computed traits that are new: of each partition the events before the one from which on it folds them as they come. So
 * each event counts once. What is read in one go is put out, and written down, in one transaction.
 */
export const createBackfill = ({ generation, history, onTrouble }: BackfillOptions) =>
  defineTask({
    name: 'backfill',
    inputs: { begun: traitFillsTopic(generation) },
    outputs: { fill: fillsTopic(generation), told: traitFillsTopic(generation) },
    stores,
    goesOn: true,
    async process(inputs, work, _definitions, signal) {
      for (const input of inputs) {
        const { value } = input;
        if (value && value.partition >= 0) work.put('cut', `${keyOf(value)}/${value.partition}`, value);
        work.settle(input, 'noted');
      }
      const job = work.get('job', JOB) ?? (await begun(work, history, onTrouble));
      if (!job || signal.aborted) return;
      await goOn(work, job, history, generation, onTrouble);
    },
  });

/** Begins with all traits that every partition has begun to fold. */
async function begun(
  work: BackfillWork,
  history: History,
  onTrouble: (error: unknown) => void,
): Promise<Backfill | undefined> {
  const byTrait = Map.groupBy(
    work.scan('cut', '').map(([, value]) => value),
    keyOf,
  );
  const whole = [...byTrait.values()].filter((cuts) => cuts.length === cuts[0]?.partitions);
  if (whole.length === 0) return undefined;
  const traits = whole.map((cuts) => {
    const { trait, version, compute, time_zone } = cuts[0] as TraitFill;
    return {
      trait,
      version,
      compute,
      time_zone,
      cuts: cuts.toSorted((a, b) => a.partition - b.partition).map(({ cut }) => cut),
    };
  });
  const below = largest(traits);
  const nothing = below.every((offset) => offset === 0);
  try {
    if (!nothing && !(await history.reaches(below))) {
      work.wakeAt(work.moment.now + TRY_AGAIN_MS);
      return undefined;
    }
    const of = nothing ? 0 : await history.count(below);
    const slices = nothing ? 0 : Math.max(1, Math.ceil(of / EVENTS_AT_ONCE));
    for (const cuts of whole) for (const one of cuts) work.remove('cut', `${keyOf(one)}/${one.partition}`);
    return { traits, slices, slice: 0, rows: 0, of };
  } catch (error) {
    onTrouble(error);
    work.wakeAt(work.moment.now + TRY_AGAIN_MS);
    return undefined;
  }
}

/** Reads a slice, tells what it says, and at the end that this was all. */
async function goOn(
  work: BackfillWork,
  job: Backfill,
  history: History,
  generation: number,
  onTrouble: (error: unknown) => void,
): Promise<void> {
  const { now } = work.moment;
  const cutsOf = new Map(job.traits.map((one) => [keyOf(one), one.cuts]));
  const traits = new TraitsByEvent(allFolded(job.traits.map((one) => asFill(one, job))));
  const found = new Map<string, { last: LoggedEvent; received: number; cells: Kept }>();
  let rows = 0;
  // Of what was there before the first event there is no history.
  const events = job.slices === 0 ? [] : history.slice(largest(job.traits), job.slice, job.slices);
  try {
    for await (const event of events) {
      rows++;
      const isBefore = ({ key }: FoldedTrait): boolean => event.offset < (cutsOf.get(key)?.[event.partition] ?? 0);
      const { hash } = event.routing;
      const known = found.get(hash) ?? { last: event, received: 0, cells: none };
      // Any address is right; the newest saves a hop.
      if (event.mapping_version > known.last.mapping_version) known.last = event;
      known.received = Math.max(known.received, event.received_at);
      known.cells = united(known.cells, traits.cellsOf(event, isBefore));
      if (known.cells.length > 0) found.set(hash, known);
    }
  } catch (error) {
    onTrouble(error);
    work.put('job', JOB, job);
    work.wakeAt(now + TRY_AGAIN_MS);
    return;
  }
  for (const { last, received: received_at, cells } of found.values()) {
    const { profile_id, mapping_version: version, routing: identifier } = last;
    for (const piece of inPieces(traits.withinBytes(cells)))
      work.emit(
        'fill',
        profile_id,
        fill({ profile_id, version, identifier, received_at, cells: piece }, generation),
        now,
      );
  }
  const next = { ...job, slice: job.slice + 1, rows: job.rows + rows };
  const complete = next.slice >= job.slices;
  for (const one of job.traits) work.emit('told', keyOf(one), { ...asFill(one, next), complete }, now);
  if (complete) {
    const { length } = job.traits[0]?.cuts ?? [];
    for (let partition = 0; partition < length; partition++) {
      const profile_id = keyOfPartition(partition, length);
      const versions = job.traits.map(({ trait, version }) => ({ trait, version }));
      work.emit('fill', profile_id, fill({ profile_id, complete: versions }, generation), now);
    }
    work.remove('job', JOB);
  } else work.put('job', JOB, next);
  work.goOn();
}

const fill = (some: Pick<Fill, 'profile_id'> & Partial<Fill>, generation: number): Fill => ({
  version: 0,
  identifier: null,
  received_at: 0,
  tributary: null,
  cells: [],
  complete: [],
  generation,
  ...some,
});

const asFill = (one: Backfill['traits'][number], { rows, of }: Backfill): TraitFill => ({
  trait: one.trait,
  version: one.version,
  compute: one.compute,
  time_zone: one.time_zone,
  partition: -1,
  partitions: one.cuts.length,
  cut: 0,
  rows,
  of,
  complete: false,
});

/** By partition the largest of the offsets from which on the traits are folded as events come. */
const largest = (traits: Backfill['traits']): number[] =>
  (traits[0]?.cuts ?? []).map((_, partition) => Math.max(...traits.map(({ cuts }) => cuts[partition] ?? 0)));

/** A key that Kafka puts into this partition. */
function keyOfPartition(partition: number, partitions: number): string {
  for (let n = 0; ; n++) if (partitionOf(`to all/${n}`, partitions) === partition) return `to all/${n}`;
}
