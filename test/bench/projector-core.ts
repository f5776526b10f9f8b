/**
 * The projector without Kafka, in a process of its own: `node test/bench/projector-core.ts CONFIG` (JSON, see `CoreOptions`) prints
 * CPU time an event as JSON. For where it goes: `node --cpu-prof test/bench/projector-core.ts '{"traits":true}'`.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventStitched, Fill } from '#schemas/generated/records.ts';
import { Definitions, type InForce } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { Codec, typeOf } from '#shared/kafka/codec.ts';
import { type Change, DiskState } from '#shared/task/disk-state.ts';
import { MemoryState, someMoment } from '#shared/task/memory.ts';
import type { Input, Task } from '#shared/task/task.ts';
import { Workspace } from '#shared/task/workspace.ts';
import { createProjector } from '../../services/profile-projector/projector.ts';
import { inputOf, type Kind, NOW, Shoppers, tenTraits } from './shoppers.ts';

export interface CoreOptions {
  /** How many there are, each with two events, before measuring begins. */
  readonly people: number;
  /** Measured, as often as there are rounds; before that as many for the code to become warm. */
  readonly events: number;
  readonly rounds: number;
  /** Only events of this kind. */
  readonly kind?: Kind;
  /** Events of new visitors, twenty of each near each other in time, instead of anybody's at random, where each makes a version. */
  readonly visitors: boolean;
  /** Whether ten traits are computed. */
  readonly traits: boolean;
  /** State in LMDB, and what comes out encoded, instead of the pure part alone with its state in memory. */
  readonly disk: boolean;
}

export interface CoreFigures {
  readonly people: number;
  readonly events: number;
  /** CPU of the process, of the best round. */
  readonly microseconds: number;
  /** By the clock, of the same. */
  readonly elapsed: number;
  /** Versions of profiles that came out of an event, on average. */
  readonly versions: number;
  /** Computed traits of a version, on average, to show that they count. */
  readonly computed: number;
  /** Of the state on disk. */
  readonly diskBytes: number;
  /** Of the process when all are there, less before. */
  readonly memoryBytes: number;
}

const BATCH = 2_000;
const EACH = 2;

const options: CoreOptions = {
  people: 20_000,
  events: 100_000,
  rounds: 3,
  visitors: false,
  traits: false,
  disk: false,
  ...(JSON.parse(process.argv[2] ?? '{}') as Partial<CoreOptions>),
};
const task = createProjector({ generation: 1 }) as unknown as Task;
const moment = { ...someMoment, now: NOW };
const definitions = new Definitions(
  options.traits
    ? Object.entries(tenTraits).map(
        ([name, compute]): InForce => ({
          kind: 'traits',
          name,
          version: 1,
          body: definitionKinds.traits.parse({ compute }),
        }),
      )
    : [],
);

/** Of a store or an output; ids of schemas are for readers that there are none of. */
const codecOf = (record: string): Codec =>
  new Codec(record as never, 1, typeOf(record as never), undefined as never) as unknown as Codec;
const outputs = { profile: codecOf('Profile'), move: codecOf('Move'), told: codecOf('TraitFill') };
const codecs = new Map(Object.entries(task.stores).map(([store, { record }]) => [store, codecOf(record)]));

const directory = mkdtempSync(join(tmpdir(), 'tributary-projector-'));
const memory = new MemoryState(task.stores);
const disk = options.disk ? new DiskState(directory, task.stores, codecs) : undefined;

let versions = 0;
let computed = 0;
let position = 0;

async function take(batch: readonly Input[]): Promise<void> {
  const work = new Workspace(task.stores, disk ?? memory, moment);
  await task.process(batch as never, work as never, definitions, new AbortController().signal);
  work.assertBalanced(batch);
  for (const { output, value } of work.emitted) {
    if (output !== 'profile' || value === null) continue;
    versions++;
    computed += (value as { computed: unknown[] }).computed.length;
  }
  if (!disk) {
    memory.apply(work);
    return;
  }
  for (const { output, value } of work.emitted)
    if (value !== null) outputs[output as keyof typeof outputs].encode(value as never);
  const changes: Change[] = [];
  for (const [store, byKey] of work.changes)
    for (const [key, value] of byKey)
      changes.push({
        store,
        key,
        bytes: value === undefined ? null : (codecs.get(store) as Codec).encode(value as never),
        value,
      });
  await disk.apply(changes, { offset: position++, at: 0, cluster: '' });
}

let offset = 0;
/** @returns microseconds of CPU and of the clock */
async function run(count: number, next: () => EventStitched): Promise<{ cpu: number; elapsed: number }> {
  let [cpu, elapsed] = [0, 0];
  for (let done = 0; done < count; done += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - done) }, () => inputOf(next(), offset++));
    const [before, began] = [process.cpuUsage(), performance.now()];
    await take(batch);
    const { user, system } = process.cpuUsage(before);
    cpu += user + system;
    elapsed += (performance.now() - began) * 1_000;
  }
  return { cpu, elapsed };
}

const { people, events, rounds, kind, visitors } = options;
const shoppers = new Shoppers(people, people * EACH + events * (rounds + 1));
// All history is there from the start: there is none.
const fill: Fill = {
  profile_id: 'all',
  version: 0,
  identifier: null,
  received_at: 0,
  tributary: null,
  cells: [],
  complete: Object.keys(tenTraits).map((trait) => ({ trait, version: 1 })),
  generation: 1,
};
await take([]);
await take([{ input: 'fill', partition: 0, offset: 0, key: 'all', value: fill, timestamp: NOW, raw: null }]);

const before = process.memoryUsage().rss;
let at = 0;
await run(people * EACH, () => {
  const person = Math.floor(at++ / EACH);
  return shoppers.of(person);
});
const next = (): EventStitched => (visitors ? shoppers.visit() : shoppers.next(kind));
await run(events, next);
[versions, computed] = [0, 0];
let best = { cpu: Number.POSITIVE_INFINITY, elapsed: Number.POSITIVE_INFINITY };
for (let round = 0; round < rounds; round++) {
  const one = await run(events, next);
  if (one.cpu < best.cpu) best = one;
}
const figures: CoreFigures = {
  people,
  events,
  microseconds: best.cpu / events,
  elapsed: best.elapsed / events,
  versions: versions / events / rounds,
  computed: versions === 0 ? 0 : computed / versions,
  diskBytes: disk ? statSync(join(directory, 'data.mdb')).blocks * 512 : 0,
  memoryBytes: process.memoryUsage().rss - before,
};
await disk?.close();
rmSync(directory, { recursive: true });
console.log(JSON.stringify(figures));
