import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventStitched, IdentityChange, Profile, RecordName, Tributary } from '#schemas/generated/records.ts';
import { typeOf } from '#shared/kafka/codec.ts';
import { addDigests, canonicalProfile, digestOf, formatDigest } from '#shared/profiles/digest.ts';
import { type MemoryInput, type MemoryPartition, memoryPartition } from '#shared/task/memory.ts';
import { events, identifier } from './core/arbitrary.fixture.ts';
import { ofEvent } from './core/event.ts';
import { changedFields, combine, nothing } from './core/profile.ts';
import { empty, merge } from './core/tributary.ts';
import { createProjector } from './projector.ts';

/*
 * Any number of partitions in memory; a script of events, stale by any amount, of identifiers that regroup at any moment, and of profiles that
 * are put in quarantine and released at any moment; topics that
 * are delivered in any batches and interleave in any way, in order only within a partition of a topic. In the end: what a
 * fold of the same events in one go gives.
 */

const projector = createProjector({ generation: 1 });
const identifiers = 5;
const profileOf = (n: number): string => `p${n}`;

/** One step of what the stitcher puts out. */
type Step =
  | { readonly kind: 'event'; readonly event: EventStitched; readonly staleness: number }
  | { readonly kind: 'regroup'; readonly identifier: number; readonly to: number }
  | { readonly kind: 'guard'; readonly profile: number; readonly quarantined: boolean }
  | { readonly kind: 'deliver'; readonly partition: number };

const regroup = fc.record({
  kind: fc.constant('regroup' as const),
  identifier: fc.nat(identifiers - 1),
  to: fc.nat(identifiers - 1),
});
const guard = fc.record({
  kind: fc.constant('guard' as const),
  profile: fc.nat(identifiers - 1),
  quarantined: fc.boolean(),
});
const deliver = fc.record({ kind: fc.constant('deliver' as const), partition: fc.nat(3) });

const scripts: fc.Arbitrary<Step[]> = fc
  .tuple(
    events({ identifiers, maxLength: 20 }),
    fc.array(fc.nat(3), { minLength: 20, maxLength: 20 }),
    fc.array(
      fc.oneof({ arbitrary: regroup, weight: 4 }, { arbitrary: guard, weight: 1 }, { arbitrary: deliver, weight: 6 }),
      { maxLength: 40 },
    ),
  )
  .chain(([list, staleness, others]) => {
    const steps: Step[] = list.map((event, n) => ({ kind: 'event', event, staleness: staleness[n] as number }));
    steps.push(...others);
    return fc.shuffledSubarray(steps, { minLength: steps.length });
  });

/** Repeatable choices (mulberry32). */
function choices(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const topics = ['event', 'change', 'move'] as const;
type TopicName = (typeof topics)[number];
const records = { event: 'EventStitched', change: 'IdentityChange', move: 'Move', profile: 'Profile' } as const;

/** What a topic does to a value. */
const throughAvro = (record: RecordName, value: unknown): unknown =>
  typeOf(record).fromBuffer(typeOf(record).toBuffer(value));

class World {
  readonly feed = new Map<string, (Profile | null)[]>();
  readonly #partitions: MemoryPartition[];
  readonly #queues: Record<TopicName, MemoryInput[]>[];
  readonly #choose: (below: number) => number;
  readonly #batchSize: number;
  #moves = 0;

  constructor(partitions: number, batchSize: number, seed: number) {
    this.#partitions = Array.from({ length: partitions }, (_, n) => memoryPartition(projector, n));
    this.#queues = this.#partitions.map(() => ({ event: [], change: [], move: [] }));
    this.#choose = choices(seed);
    this.#batchSize = batchSize;
  }

  produce(topic: TopicName, key: string, value: unknown): void {
    const partition = Number(key.slice(1)) % this.#partitions.length;
    this.#queues[partition]?.[topic].push({ input: topic, key, value: throughAvro(records[topic], value) });
  }

  /** Runs one batch of the partition: from the heads of its topics, interleaved. */
  async deliver(partition: number): Promise<void> {
    const index = partition % this.#partitions.length;
    const queues = this.#queues[index] as Record<TopicName, MemoryInput[]>;
    const batch: MemoryInput[] = [];
    const size = 1 + this.#choose(this.#batchSize);
    // Some topics may have nothing for us just now, although there is something.
    const ready = topics.filter(() => this.#choose(3) > 0);
    while (batch.length < size) {
      const waiting = ready.filter((topic) => queues[topic].length > 0);
      if (waiting.length === 0) break;
      const topic = waiting[this.#choose(waiting.length)] as TopicName;
      batch.push(queues[topic].shift() as MemoryInput);
    }
    const run = await (this.#partitions[index] as MemoryPartition).run(batch);
    expect(run.rejected).toEqual([]);
    const inThisBatch = new Set<string>();
    for (const { output, key, value } of run.emitted) {
      if (output === 'move') {
        this.#moves++;
        this.produce('move', key, value);
        continue;
      }
      if (value !== null) {
        expect(inThisBatch.has(key), `${key} was emitted twice in one batch`).toBe(false);
        inThisBatch.add(key);
      }
      const versions = this.feed.get(key) ?? [];
      versions.push(value === null ? null : (throughAvro('Profile', value) as Profile));
      this.feed.set(key, versions);
    }
  }

  async drain(mostMoves: number): Promise<void> {
    while (this.#queues.some((queues) => topics.some((topic) => queues[topic].length > 0))) {
      await this.deliver(this.#choose(this.#partitions.length));
      expect(this.#moves, 'moves go round in circles').toBeLessThanOrEqual(mostMoves);
    }
  }

  tributaries(): [string, Tributary][] {
    return this.#partitions.flatMap((partition) => partition.entries('tributary') as [string, Tributary][]);
  }
}

/** Plays the script, and compares with the fold of the same events in one go. */
async function play(script: readonly Step[], partitions: number, batchSize: number, seed: number): Promise<void> {
  const world = new World(partitions, batchSize, seed);
  const places = Array.from({ length: identifiers }, (_, n) => [{ profile_id: profileOf(n), version: 0 }]);
  const placesOf = (n: number) => places[n] as { profile_id: string; version: number }[];
  const discovered = new Set<number>();
  const inQuarantine = new Set<string>();
  const folded = new Map<number, Tributary>();
  let version = 0;
  let eventCount = 0;
  let regroups = 0;

  const change = (kind: string, n: number, profile: string, to: string | null): void => {
    const value: IdentityChange = {
      kind,
      profile_id: profile,
      identifier: identifier(n),
      to_profile_id: to,
      version: kind === 'moved' ? version : 0,
      other: null,
      reason: 'test',
      claim_ids: [],
      decided_at: 1,
      definitions: [],
      generation: 1,
    };
    world.produce('change', profile, value);
  };
  const discover = (n: number): void => {
    if (discovered.has(n)) return;
    discovered.add(n);
    change('discovered', n, profileOf(n), null);
  };

  for (const step of script) {
    if (step.kind === 'deliver') await world.deliver(step.partition);
    else if (step.kind === 'regroup') {
      const from = placesOf(step.identifier).at(-1) as { profile_id: string };
      const to = profileOf(step.to);
      if (from.profile_id === to) continue;
      discover(step.identifier);
      version++;
      regroups++;
      placesOf(step.identifier).push({ profile_id: to, version });
      change('moved', step.identifier, from.profile_id, to);
    } else if (step.kind === 'guard') {
      const id = profileOf(step.profile);
      change(step.quarantined ? 'quarantined' : 'released', step.profile, id, null);
      if (step.quarantined) inQuarantine.add(id);
      else inQuarantine.delete(id);
    } else {
      const n = Number.parseInt((step.event.identifiers[0] as { hash: string }).hash, 16);
      const history = placesOf(n);
      const place = history[Math.max(0, history.length - 1 - step.staleness)] as (typeof history)[number];
      world.produce('event', place.profile_id, {
        ...step.event,
        profile_id: place.profile_id,
        mapping_version: place.version,
      });
      const part = ofEvent(step.event, identifier(n), step.event.currency);
      folded.set(n, merge(folded.get(n) ?? empty(identifier(n)), part));
      eventCount++;
    }
  }
  for (let n = 0; n < identifiers; n++) discover(n);
  // Whatever is passed on goes to a higher version, of which there is one more than regroupings.
  await world.drain((eventCount + identifiers + regroups) * (regroups + 1));

  const stored = world.tributaries();
  expect(stored.map(([key]) => key).sort()).toEqual(
    places.map((history, n) => `${history.at(-1)?.profile_id}/${identifier(n).hash}`).sort(),
  );

  let expectedDigest = 0n;
  let digest = 0n;
  for (let p = 0; p < identifiers; p++) {
    const id = profileOf(p);
    const members = places.flatMap((history, n) =>
      history.at(-1)?.profile_id === id ? [folded.get(n) ?? empty(identifier(n))] : [],
    );
    const versions = world.feed.get(id) ?? [];
    const last = versions.at(-1);
    checkVersions(versions);
    if (!members.some((tributary) => tributary.events > 0)) {
      expect(last ?? null).toBeNull();
      continue;
    }
    const whole = {
      ...(last as Profile),
      profile_id: id,
      ...combine(members, inQuarantine.has(id)),
      gone: false,
      into: null,
    };
    expect(canonicalProfile(last as Profile)).toBe(canonicalProfile(whole));
    digest = addDigests(digest, digestOf(last as Profile));
    expectedDigest = addDigests(digestOf(whole), expectedDigest);
  }
  expect(formatDigest(digest)).toBe(formatDigest(expectedDigest));
}

/** Rising by one from one, each saying what changed; a last value, a tombstone, and perhaps another life. */
function checkVersions(versions: readonly (Profile | null)[]): void {
  let before: Profile | undefined;
  for (const profile of versions) {
    if (profile === null) {
      expect(before?.gone, 'a tombstone follows a last value').toBe(true);
      continue;
    }
    expect(profile.version).toBe((before?.version ?? 0) + 1);
    expect(profile.changed.length, 'a version without a change').toBeGreaterThan(0);
    expect(profile.changed.filter((field) => field !== 'gone' && field !== 'into')).toEqual(
      changedFields(before && !before.gone ? before : nothing, profile),
    );
    expect(profile.changed.includes('gone')).toBe((before?.gone ?? false) !== profile.gone);
    expect(profile.changed.includes('into')).toBe((before?.into ?? null) !== profile.into);
    expect(profile.gone).toBe(profile.events === 0);
    expect(profile.into === null).toBe(!profile.gone);
    expect(profile.why.length).toBeGreaterThan(0);
    before = profile;
  }
  expect(versions.filter((profile) => profile === null)).toHaveLength(
    versions.filter((profile) => profile?.gone).length,
  );
  if (before?.gone) expect(versions.at(-1)).toBeNull();
}

const runs = (numRuns: number) => ({ numRuns, endOnFailure: false });

describe('regrouping at any moment, over any number of partitions, in any order and batching', () => {
  it('ends in the fold of all events in one go', async () => {
    await fc.assert(
      fc.asyncProperty(
        scripts,
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(1, 3, 50),
        fc.integer(),
        (script, partitions, batchSize, seed) => play(script, partitions, batchSize, seed),
      ),
      runs(600),
    );
  }, 120_000);

  it('quick double moves and moves back of one identifier, with stale events, lose and double nothing', async () => {
    const twoHomes = fc.array(
      fc.record({
        kind: fc.constant('regroup' as const),
        identifier: fc.constant(0),
        to: fc.constantFrom(0, 1, 2),
      }),
      { minLength: 3, maxLength: 12 },
    );
    const script = fc
      .tuple(twoHomes, events({ identifiers: 1, maxLength: 12 }), fc.infiniteStream(fc.nat(6)))
      .chain(([moves, list, staleness]) => {
        const [...late] = Array.from({ length: list.length }, () => staleness.next().value as number);
        const steps: Step[] = [
          ...moves,
          ...list.map((event, n): Step => ({ kind: 'event', event, staleness: late[n] as number })),
        ];
        return fc.shuffledSubarray(steps, { minLength: steps.length });
      });
    await fc.assert(
      fc.asyncProperty(script, fc.integer({ min: 1, max: 3 }), fc.constantFrom(1, 2, 50), fc.integer(), play),
      runs(400),
    );
  }, 120_000);
});
