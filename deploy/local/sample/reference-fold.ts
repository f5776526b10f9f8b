import type { EventCollected, Profile } from '#schemas/generated/records.ts';
import type { Definitions } from '#shared/definitions/definitions.ts';
import type { Hashing } from '#shared/identity/hashing.ts';
import { addDigests, digestOf } from '#shared/profiles/digest.ts';
import { type MemoryInput, type MemoryPartition, memoryPartition } from '#shared/task/memory.ts';
import type { Emitted } from '#shared/task/workspace.ts';
import { createLinker } from '../../../services/identity-stitcher/linker.ts';
import { createResolver } from '../../../services/identity-stitcher/resolver.ts';
import { createBackfill, noHistory } from '../../../services/profile-projector/backfill.ts';
import { createProjector } from '../../../services/profile-projector/projector.ts';

/** An event as `events.collected` holds it. */
export interface RecordedEvent {
  readonly partition: number;
  readonly key: string;
  readonly value: EventCollected;
}

export interface ReferenceOptions {
  readonly hashing: Hashing;
  readonly generation: number;
  readonly definitions: Definitions;
  /** As of when computed traits are told, milliseconds. */
  readonly now: number;
}

export interface Reference {
  /** Those that exist in the end, by profile id. */
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly digest: bigint;
  /** What became of the events: stitched, duplicate, rejected. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Identifiers that left their default profile. */
  readonly moved: number;
}

const BATCH = 2_000;

/**
 * What the profiles must be: the cores of the services, folded over recorded events in one process, without Kafka, disk,
 * kills or restarts, one stage after the other. Whatever way the river took, its profiles have the same content.
 * @param events in the order of their offsets within each partition
 */
export async function referenceFold(
  events: Iterable<RecordedEvent>,
  { hashing, generation, definitions, now }: ReferenceOptions,
): Promise<Reference> {
  const resolver = createResolver({ hashing, generation });
  const linker = memoryPartition(createLinker({ hashing, generation }), 0);
  const projector = memoryPartition(createProjector({ generation }), 0);
  const onTrouble = (error: unknown): void => {
    throw error;
  };
  const backfill = memoryPartition(createBackfill({ generation, history: noHistory, onTrouble }), 0);
  const outcomes: Record<string, number> = {};

  async function through(partition: MemoryPartition, inputs: readonly MemoryInput[]) {
    const emitted: Emitted[] = [];
    const counts: Record<string, number> = {};
    for (let i = 0; i < inputs.length; i += BATCH) {
      const run = await partition.run(inputs.slice(i, i + BATCH), definitions, { now });
      for (const one of run.emitted) emitted.push(one);
      for (const [outcome, count] of Object.entries(run.outcomes)) counts[outcome] = (counts[outcome] ?? 0) + count;
    }
    return { emitted, counts };
  }

  const stitched: MemoryInput[] = [];
  const claims: MemoryInput[] = [];
  for (const [partition, recorded] of Map.groupBy(events, (event) => event.partition)) {
    const inputs = recorded.map(
      ({ key, value }): MemoryInput => ({ input: 'event', key, value, timestamp: value.received_at }),
    );
    const { emitted, counts } = await through(memoryPartition(resolver, partition), inputs);
    for (const [outcome, count] of Object.entries(counts)) outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
    for (const one of emitted) {
      if (one.output === 'claim') claims.push(asInput('claim', one));
      else stitched.push(asInput('event', one));
    }
  }
  const linked = (await through(linker, claims)).emitted;

  const profiles = new Map<string, Profile>();
  const told = (await projector.run([], definitions, { now })).emitted.map((one) => asInput('begun', one));
  let inputs = [
    ...(await backfill.run(told, definitions, { now })).emitted
      .filter(({ output }) => output === 'fill')
      .map((one) => asInput('fill', one)),
    ...stitched,
    ...linked.filter(({ output }) => output === 'change').map((one) => asInput('change', one)),
  ];
  while (inputs.length > 0) {
    const { emitted } = await through(projector, inputs);
    inputs = [];
    for (const one of emitted) {
      if (one.output === 'move') inputs.push(asInput('move', one));
      else if (one.value === null) profiles.delete(one.key);
      else profiles.set(one.key, one.value as Profile);
    }
  }
  let digest = 0n;
  for (const profile of profiles.values()) digest = addDigests(digest, digestOf(profile));
  const moved = new Set(linked.filter(({ output }) => output === 'mapping').map(({ key }) => key)).size;
  return { profiles, digest, outcomes, moved };
}

const asInput = (input: string, { key, value, timestamp }: Emitted): MemoryInput => ({ input, key, value, timestamp });
