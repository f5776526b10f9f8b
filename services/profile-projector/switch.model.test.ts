import fc from 'fast-check';
import { expect, it } from 'vitest';
import type {
  EventStitched,
  IdentityChange,
  Profile,
  RecordName,
  Role,
  Tributary,
} from '#schemas/generated/records.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { typeOf } from '#shared/kafka/codec.ts';
import { partitionOf } from '#shared/kafka/partition-of.ts';
import { canonicalProfile } from '#shared/profiles/digest.ts';
import { type MemoryInput, type MemoryPartition, memoryPartition } from '#shared/task/memory.ts';
import { events, identifier } from './core/arbitrary.fixture.ts';
import { ofEvent } from './core/event.ts';
import { changedFields, combine, nothing } from './core/profile.ts';
import { merge } from './core/tributary.ts';
import { createProjector } from './projector.ts';

/*
 * Two generations in memory over the same events, which regroup differently, and guard other profiles; switches from one to the other at any
 * moment, by somebody who may begin again in the middle. Who reads what is published sees each version once, and in the end what the live
 * generation says; who reads what the other says for itself sees all that it has.
 */

const IDENTIFIERS = 4;
const generations = [1, 2] as const;
type G = (typeof generations)[number];
const homeOf = (hash: string): string => `p${Number.parseInt(hash, 16)}`;
const definitions = new Definitions();

type Step =
  | { readonly kind: 'event'; readonly event: EventStitched; readonly by: G; readonly isStale: boolean }
  | { readonly kind: 'regroup'; readonly n: number; readonly to: number; readonly of: readonly G[] }
  | { readonly kind: 'guard'; readonly n: number; readonly quarantined: boolean; readonly of: readonly G[] }
  | { readonly kind: 'switch' }
  | { readonly kind: 'again' }
  | { readonly kind: 'work'; readonly batches: number };

const n = fc.nat(IDENTIFIERS - 1);
const of = fc.constantFrom<(readonly G[])[]>([1], [2], [1, 2], [1, 2]);
const steps: fc.Arbitrary<Step[]> = fc
  .tuple(
    events({ identifiers: IDENTIFIERS, maxLength: 16 }),
    fc.array(fc.tuple(fc.constantFrom(...generations), fc.boolean()), { minLength: 16, maxLength: 16 }),
    fc.array(
      fc.oneof(
        { weight: 5, arbitrary: fc.record({ kind: fc.constant('regroup' as const), n, to: n, of }) },
        {
          weight: 1,
          arbitrary: fc.record({ kind: fc.constant('guard' as const), n, quarantined: fc.boolean(), of }),
        },
        { weight: 3, arbitrary: fc.constant({ kind: 'switch' as const }) },
        { weight: 1, arbitrary: fc.constant({ kind: 'again' as const }) },
        {
          weight: 9,
          arbitrary: fc.record({ kind: fc.constant('work' as const), batches: fc.integer({ min: 1, max: 9 }) }),
        },
      ),
      { minLength: 10, maxLength: 40 },
    ),
  )
  .chain(([list, addresses, others]) => {
    const all: Step[] = list.map((event, at) => {
      const [by, isStale] = addresses[at] as [G, boolean];
      return { kind: 'event', event, by, isStale };
    });
    all.push(...others);
    return fc.shuffledSubarray(all, { minLength: all.length });
  });

/** Repeatable choices between 0 and 1 (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const inputs = ['event', 'change', 'move', 'control'] as const;
type InputName = (typeof inputs)[number];
const records = { event: 'EventStitched', change: 'IdentityChange', move: 'Move', control: 'Control' } as const;
const throughAvro = <T>(record: RecordName, value: unknown): T =>
  typeOf(record).fromBuffer(typeOf(record).toBuffer(value)) as T;

interface Partition {
  readonly generation: G;
  readonly task: MemoryPartition;
  readonly queues: Record<InputName, MemoryInput[]>;
  role: Role | undefined;
  goesOn: boolean;
  wakesAt: number;
}
type Feed = Map<string, (Profile | null)[]>;

class World {
  readonly published: Feed = new Map();
  readonly own: Record<G, Feed> = { 1: new Map(), 2: new Map() };
  readonly partitions: Partition[];
  live: G = 1;
  edition = 1;
  switches = 0;
  readonly #count: number;
  readonly #random: () => number;
  /** What is being waited for, and what comes then. */
  #waiting: { readonly until: () => boolean; readonly next: () => void } | undefined;
  #now = 1_000;

  constructor(count: number, random: () => number) {
    this.#count = count;
    this.#random = random;
    this.partitions = generations.flatMap((generation) =>
      Array.from({ length: count }, (_, at) => ({
        generation,
        task: memoryPartition(createProjector({ generation, homeOf, quiet: generation === 2 }), at, count),
        queues: { event: [], change: [], move: [], control: [] },
        role: undefined,
        goesOn: true,
        wakesAt: 0,
      })),
    );
  }

  send(input: InputName, key: string, value: unknown, to: readonly G[], at = partitionOf(key, this.#count)): void {
    for (const generation of to)
      this.#of(generation)[at]?.queues[input].push({ input, key, value: throughAvro(records[input], value) });
  }

  get isSwitching(): boolean {
    return this.#waiting !== undefined;
  }

  /** Begins a switch, or once more with one that has begun. */
  switch(): void {
    if (!this.#waiting) this.edition++;
    const { edition, live } = this;
    const next: G = live === 1 ? 2 : 1;
    const have = (generation: G, role: string) => () =>
      this.#of(generation).every((one) => one.role?.role === role && one.role.edition === edition);
    const toAll = (generation: G, kind: string): void => {
      for (let at = 0; at < this.#count; at++)
        this.send('control', 'all', { kind, edition, profile: null, mapping: null }, [generation], at);
    };
    toAll(live, 'yield');
    this.#waiting = {
      until: have(live, 'quiet'),
      next: () => {
        for (const [id, versions] of this.published) {
          const profile = versions.findLast((one) => one !== null);
          this.send('control', id, { kind: 'published', edition, profile, mapping: null }, [next]);
        }
        // Interrupted here it begins again.
        if (this.#random() < 0.3) return this.switch();
        toAll(next, 'end');
        this.#waiting = {
          until: have(next, 'live'),
          next: () => {
            this.live = next;
            this.switches++;
            this.#waiting = undefined;
          },
        };
      },
    };
  }

  async work(): Promise<void> {
    this.#now += 300;
    if (this.#waiting?.until()) this.#waiting.next();
    await this.#run(this.partitions[Math.floor(this.#random() * this.partitions.length)] as Partition);
  }

  async settle(): Promise<void> {
    const isOpen = (): boolean =>
      this.#waiting !== undefined ||
      this.partitions.some(
        ({ queues, goesOn, wakesAt }) =>
          goesOn || wakesAt <= this.#now + 2_000 || inputs.some((one) => queues[one].length > 0),
      );
    for (let turns = 0; isOpen(); turns++) {
      expect(turns, 'it does not come to rest').toBeLessThan(5_000);
      await this.work();
    }
  }

  #of(generation: G): Partition[] {
    return this.partitions.filter((one) => one.generation === generation);
  }

  async #run(partition: Partition): Promise<void> {
    const { generation, task, queues } = partition;
    const batch: MemoryInput[] = [];
    const ready = inputs.filter(() => this.#random() < 0.7);
    const size = Math.floor(this.#random() * 12);
    while (batch.length < size) {
      const waiting = ready.filter((one) => queues[one].length > 0);
      const from = waiting[Math.floor(this.#random() * waiting.length)];
      if (from === undefined) break;
      batch.push(queues[from].shift() as MemoryInput);
    }
    if (batch.length === 0 && !partition.goesOn && partition.wakesAt > this.#now) return;
    const when = { now: this.#now, isCaughtUp: this.#random() < 0.7 };
    const run = await task.run(batch, definitions, when);
    expect(run.rejected).toEqual([]);
    partition.goesOn = run.goesOn;
    partition.wakesAt = run.wakesAt ?? (partition.wakesAt > this.#now ? partition.wakesAt : Number.POSITIVE_INFINITY);
    for (const { output, key, value } of run.emitted) {
      if (output === 'move') this.send('move', key, value, [generation]);
      else if (output === 'role') partition.role = throughAvro('Role', value);
      else if (output === 'profile' || output === 'own') {
        const feed = output === 'profile' ? this.published : this.own[generation];
        const profile = value === null ? null : throughAvro<Profile>('Profile', value);
        feed.set(key, [...(feed.get(key) ?? []), profile]);
        if (output === 'profile' && profile) expect(profile.edition).toBeLessThanOrEqual(this.edition);
      }
    }
  }
}

async function play(script: readonly Step[], partitions: number, seed: number): Promise<number> {
  const random = randomOf(seed);
  const world = new World(partitions, random);
  const placesOf = (): { profile_id: string; version: number }[][] =>
    Array.from({ length: IDENTIFIERS }, (_, at) => [{ profile_id: `p${at}`, version: 0 }]);
  const places = { 1: placesOf(), 2: placesOf() };
  const guarded = { 1: new Set<string>(), 2: new Set<string>() };
  const folded = new Map<number, Tributary>();
  let version = 0;
  const change = (generation: G, kind: string, at: number, profile_id: string, to: string | null): void => {
    const value: IdentityChange = {
      kind,
      profile_id,
      identifier: identifier(at),
      to_profile_id: to,
      version,
      other: null,
      reason: 'test',
      claim_ids: [],
      decided_at: 1,
      definitions: [],
      generation,
    };
    world.send('change', profile_id, value, [generation]);
  };
  for (const step of script) {
    if (step.kind === 'work') for (let batch = 0; batch < step.batches; batch++) await world.work();
    else if (step.kind === 'switch') {
      if (!world.isSwitching) world.switch();
    } else if (step.kind === 'again') {
      if (world.isSwitching) world.switch();
    } else if (step.kind === 'guard') {
      const id = `p${step.n}`;
      for (const generation of step.of) {
        change(generation, step.quarantined ? 'quarantined' : 'released', step.n, id, null);
        if (step.quarantined) guarded[generation].add(id);
        else guarded[generation].delete(id);
      }
    } else if (step.kind === 'regroup') {
      for (const generation of step.of) {
        const history = places[generation][step.n] as { profile_id: string; version: number }[];
        const { profile_id: from = '' } = history.at(-1) ?? {};
        const to = `p${step.to}`;
        if (from === to) continue;
        version++;
        history.push({ profile_id: to, version });
        change(generation, 'moved', step.n, from, to);
      }
    } else {
      const { event, by, isStale } = step;
      const { hash = '' } = event.identifiers[0] ?? {};
      const at = Number.parseInt(hash, 16);
      const history = places[by][at] as { profile_id: string; version: number }[];
      const place = history.at(isStale ? 0 : -1) as (typeof history)[number];
      const { profile_id, version: mapping_version } = place;
      world.send('event', profile_id, { ...event, generation: by, profile_id, mapping_version }, generations);
      const part = ofEvent(event, identifier(at), event.currency);
      const known = folded.get(at);
      folded.set(at, known ? merge(known, part) : part);
    }
  }
  await world.settle();

  for (const versions of world.published.values()) checkVersions(versions);
  for (const generation of generations) {
    const isLive = generation === world.live;
    const feed = isLive ? world.published : world.own[generation];
    for (let at = 0; at < IDENTIFIERS; at++) {
      const id = `p${at}`;
      const members = places[generation].flatMap((history, of) =>
        history.at(-1)?.profile_id === id ? (folded.get(of) ?? []) : [],
      );
      const last = feed.get(id)?.at(-1) ?? null;
      const what = `${id} of generation ${generation}, ${isLive ? 'live' : 'quiet'}`;
      if (members.length === 0) expect(last, what).toBeNull();
      else {
        expect(last, what).not.toBeNull();
        const whole = {
          ...(last as Profile),
          ...combine(members, guarded[generation].has(id)),
          gone: false,
          into: null,
        };
        expect(canonicalProfile(last as Profile), what).toBe(canonicalProfile(whole));
      }
    }
  }
  return world.switches;
}

/** Rising by one from one, each saying what is not as it was; a last value, a tombstone, and perhaps another life. */
function checkVersions(versions: readonly (Profile | null)[]): void {
  let before: Profile | undefined;
  for (const [at, profile] of versions.entries()) {
    if (profile === null) {
      expect(versions[at - 1]?.gone, 'a tombstone follows a last value').toBe(true);
      continue;
    }
    expect(profile.version).toBe((before?.version ?? 0) + 1);
    expect(profile.edition).toBeGreaterThanOrEqual(before?.edition ?? 1);
    expect(profile.changed.length, 'a version without a change').toBeGreaterThan(0);
    expect(profile.changed.filter((field) => field !== 'gone' && field !== 'into')).toEqual(
      changedFields(before && !before.gone ? before : nothing, profile),
    );
    expect(profile.changed.includes('gone')).toBe((before?.gone ?? false) !== profile.gone);
    expect(profile.gone).toBe(profile.events === 0);
    expect(profile.why.length).toBeGreaterThan(0);
    if (profile.generation !== before?.generation && before) expect(profile.edition).toBeGreaterThan(before.edition);
    if (profile.gone) expect(versions[at + 1], 'a tombstone is missing').toBeNull();
    before = profile;
  }
}

it('a switch at any moment misses and doubles no version, and what is published is in the end what the live generation says', async () => {
  let switches = 0;
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 3 }), fc.integer(), async (script, partitions, seed) => {
      switches += await play(script, partitions, seed);
    }),
    { numRuns: 500 },
  );
  expect(switches).toBeGreaterThan(500);
}, 120_000);
