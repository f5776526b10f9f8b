import type { Backfill, Fill, Identifier, TraitFill, Tributary } from '#schemas/generated/records.ts';
import { fillsTopic, traitFillsTopic } from '#schemas/topics.ts';
import type { History, LoggedEvent } from '#shared/clickhouse/event-log.ts';
import { mostAtOnce } from '#shared/clickhouse/read-ahead.ts';
import type { Definitions } from '#shared/definitions/definitions.ts';
import { EVERYTHING } from '#shared/generations/rebuilt.ts';
import { partitionOf } from '#shared/kafka/partition-of.ts';
import { defineTask, type Stores, type Work } from '#shared/task/task.ts';
import { inPieces, type Kept, keyOf, united } from './core/cells.ts';
import { ofEvent } from './core/event.ts';
import { aloneInTheWorld } from './core/ownership.ts';
import { none } from './core/sorted.ts';
import { allFolded, type FoldedTrait, TraitsByEvent } from './core/traits-in-force.ts';
import { merge } from './core/tributary.ts';

export interface BackfillOptions {
  readonly generation: number;
  readonly history: History;
  /** Default profile id of the identifier with this hash; asked where events speak of another generation's places. */
  readonly homeOf?: (hash: string) => string;
  /** Told of what kept history from being read; it is tried again. */
  readonly onTrouble: (error: unknown) => void;
  /** Told of the events that were read, and of how many there are. */
  readonly onProgress?: (rows: number, of: number) => void;
  /** About how many events are read in one go. */
  readonly atOnce?: number;
  /** Waits until so many more may be read. */
  readonly pace?: (rows: number, signal: AbortSignal) => Promise<void>;
}

/** Of events before those that come. */
export const noHistory: History = {
  reaches: async () => true,
  count: async () => 0,
  async *slice() {},
};

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
const TRY_AGAIN_MS = 1_000;

/**
 * Reads history for computed traits that are new, and for everything where a generation is rebuilt: of each partition the events before the
 * one from which on it folds them as they come. So each event counts once. What is read in one go is put out, and written down, in one
 * transaction.
 */
export const createBackfill = (options: BackfillOptions) => {
  const { generation } = options;
  return defineTask({
    name: 'backfill',
    inputs: { begun: traitFillsTopic(generation) },
    outputs: { fill: fillsTopic(generation), told: traitFillsTopic(generation) },
    stores,
    goesOn: true,
    async process(inputs, work, definitions, signal) {
      for (const input of inputs) {
        const { value } = input;
        if (value && value.partition >= 0 && !value.complete)
          work.put('cut', `${keyOf(value)}/${value.partition}`, value);
        work.settle(input, 'noted');
      }
      const job = work.get('job', JOB) ?? (await begun(work, options));
      if (!job || signal.aborted) return;
      await goOn(work, job, definitions, signal, options);
    },
  });
};

/** Begins with all traits that every partition has begun to fold. */
async function begun(
  work: BackfillWork,
  { history, onTrouble, atOnce = mostAtOnce }: BackfillOptions,
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
  try {
    if (!(await history.reaches(below))) {
      work.wakeAt(work.moment.now + TRY_AGAIN_MS);
      return undefined;
    }
    const of = await history.count(below);
    const slices = Math.ceil(of / atOnce);
    for (const cuts of whole) for (const one of cuts) work.remove('cut', `${keyOf(one)}/${one.partition}`);
    const job = { traits, slices, slice: 0, rows: 0, of };
    // Whoever lets go now keeps what is written down, and the cuts are no longer.
    work.put('job', JOB, job);
    return job;
  } catch (error) {
    onTrouble(error);
    work.wakeAt(work.moment.now + TRY_AGAIN_MS);
    return undefined;
  }
}

/** What a slice says of an identifier. */
interface Found {
  readonly routing: Identifier;
  /** The latest place that its own generation has said. */
  place: { readonly profile_id: string; readonly version: number };
  received: number;
  cells: Kept;
  tributary: Tributary | null;
}

const placeIn = ({ profile_id, mapping_version: version }: LoggedEvent) => ({ profile_id, version });

/** Reads a slice, tells what it says, and at the end that this was all. */
async function goOn(
  work: BackfillWork,
  job: Backfill,
  definitions: Definitions,
  signal: AbortSignal,
  { generation, history, homeOf = aloneInTheWorld, onTrouble, onProgress, pace }: BackfillOptions,
): Promise<void> {
  const { now } = work.moment;
  const cutsOf = new Map(job.traits.map((one) => [keyOf(one), one.cuts]));
  const cutsOfAll = cutsOf.get(keyOf(EVERYTHING)) ?? none;
  const traits = new TraitsByEvent(allFolded(job.traits.map((one) => asFill(one, job))));
  const found = new Map<string, Found>();
  let rows = 0;
  const see = (event: LoggedEvent): void => {
    const routing = event.identifiers[0];
    if (!routing) return;
    const { hash } = routing;
    const { partition, offset, received_at } = event;
    const isBefore = ({ key }: FoldedTrait): boolean => offset < (cutsOf.get(key)?.[partition] ?? 0);
    const cells = traits.cellsOf(event, isBefore);
    const isFolded = offset < (cutsOfAll[partition] ?? 0);
    let known = found.get(hash);
    if (!known) {
      if (cells.length === 0 && !isFolded) return;
      const place = event.generation === generation ? placeIn(event) : { profile_id: homeOf(hash), version: 0 };
      known = { routing, place, received: 0, cells: none, tributary: null };
      found.set(hash, known);
    }
    // Any address is right; the newest saves a hop. Other generations speak of other places.
    if (event.generation === generation && event.mapping_version > known.place.version) known.place = placeIn(event);
    known.received = Math.max(known.received, received_at);
    known.cells = united(known.cells, cells);
    if (!isFolded) return;
    const part = ofEvent(event, routing, event.currency || currencyOf(event.source, definitions));
    known.tributary = known.tributary ? merge(known.tributary, part) : part;
  };
  try {
    if (job.slices > 0) {
      await pace?.(Math.ceil(job.of / job.slices), signal);
      if (signal.aborted) throw new Error('let go');
      for await (const events of history.slice(largest(job.traits), job.slice, job.slices)) {
        rows += events.length;
        for (const event of events) see(event);
      }
    }
  } catch (error) {
    if (!signal.aborted) onTrouble(error);
    work.put('job', JOB, job);
    work.wakeAt(now + TRY_AGAIN_MS);
    return;
  }
  for (const { routing: identifier, place, received: received_at, cells, tributary } of found.values()) {
    const pieces = inPieces(traits.withinBytes(cells));
    for (let n = 0; n < Math.max(1, pieces.length); n++) {
      const piece = { tributary: n === 0 ? tributary : null, cells: pieces[n] ?? none };
      work.emit('fill', place.profile_id, fill({ ...place, identifier, received_at, ...piece }, generation), now);
    }
  }
  onProgress?.(job.rows + rows, job.of);
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

/** Of events that were logged before the log said it. */
const currencyOf = (source: string, definitions: Definitions): string =>
  definitions.get('source', source)?.body.defaultCurrency ?? 'XXX';

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
