import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventStitched, IdentityChange, Profile, RecordName } from '#schemas/generated/records.ts';
import type { History, LoggedEvent } from '#shared/clickhouse/event-log.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { typeOf } from '#shared/kafka/codec.ts';
import { partitionOf } from '#shared/kafka/partition-of.ts';
import { canonicalProfile } from '#shared/profiles/digest.ts';
import { type MemoryInput, type MemoryPartition, memoryPartition } from '#shared/task/memory.ts';
import { createBackfill, noHistory } from './backfill.ts';
import { events, identifier } from './core/arbitrary.fixture.ts';
import { createProjector } from './projector.ts';

/*
 * A generation that is rebuilt while events go on, in memory: of each partition the events before it began come from the log, the others as
 * they come, addressed to wherever another generation has them. Its own linker regroups as it goes. In the end, to the byte, what a
 * fold of all events in one go gives, each told once it was whole.
 */

const IDENTIFIERS = 5;
const homeOf = (hash: string): string => `p${Number.parseInt(hash, 16)}`;
const trait = (name: string, compute: object) => ({
  kind: 'traits' as const,
  name,
  version: 1,
  body: { description: '', sensitivity: 'none' as const, compute: compute as never, timeZone: 'UTC' },
});
const definitions = new Definitions([
  trait('all', { aggregate: 'count', of: {} }),
  trait('busy', { aggregate: 'count', of: { source: 'web' }, atLeast: 2 }),
]);

interface Script {
  readonly list: readonly EventStitched[];
  /** Where the live generation has each event: any profile, at any version. */
  readonly places: readonly { readonly profile: number; readonly version: number }[];
  /** How many events come before the generation begins. */
  readonly before: number;
  /** Regroupings of its own. */
  readonly moves: readonly { readonly n: number; readonly to: number; readonly after: number }[];
  readonly partitions: number;
  readonly seed: number;
}

const scripts: fc.Arbitrary<Script> = fc.record({
  list: events({ identifiers: IDENTIFIERS, maxLength: 20 }),
  places: fc.array(fc.record({ profile: fc.nat(7), version: fc.nat(3) }), { minLength: 20, maxLength: 20 }),
  before: fc.nat(20),
  moves: fc.array(fc.record({ n: fc.nat(IDENTIFIERS - 1), to: fc.nat(IDENTIFIERS - 1), after: fc.nat(20) }), {
    maxLength: 8,
  }),
  partitions: fc.integer({ min: 1, max: 3 }),
  seed: fc.integer(),
});

const inputs = ['event', 'ownChange', 'move', 'fill'] as const;
type InputName = (typeof inputs)[number];
const records = { event: 'EventStitched', ownChange: 'IdentityChange', move: 'Move', fill: 'Fill' } as const;
const throughAvro = (record: RecordName, value: unknown): unknown =>
  typeOf(record).fromBuffer(typeOf(record).toBuffer(value));

class Rebuilt implements History {
  readonly feed = new Map<string, Profile[]>();
  readonly #log: LoggedEvent[] = [];
  readonly #queues: Record<InputName, MemoryInput[]>[];
  readonly #begun: MemoryInput[] = [];
  readonly #projectors: MemoryPartition[];
  readonly #backfill: MemoryPartition;
  readonly #offsets: number[];
  readonly #random: () => number;
  #hasBegun = false;
  #isComplete = false;
  #isRestless = true;
  #letGo = new AbortController();

  constructor({ partitions, seed }: Script) {
    const projector = createProjector({ generation: 2, homeOf, quiet: true, rebuilds: true });
    const onTrouble = (error: unknown): void => {
      throw error;
    };
    this.#projectors = Array.from({ length: partitions }, (_, n) => memoryPartition(projector, n, partitions));
    this.#backfill = memoryPartition(createBackfill({ generation: 2, history: this, homeOf, onTrouble }), 0);
    this.#queues = this.#projectors.map(() => ({ event: [], ownChange: [], move: [], fill: [] }));
    this.#offsets = this.#projectors.map(() => 0);
    let state = seed;
    this.#random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      return (state >>> 0) / 4_294_967_296;
    };
  }

  async reaches(): Promise<boolean> {
    return this.#random() < 0.7;
  }
  async count(below: readonly number[]): Promise<number> {
    // A partition may be wanted elsewhere at any moment.
    if (this.#random() < 0.2) this.#letGo.abort();
    // As many as make several slices.
    return this.#logged(below).length * 10_000;
  }
  async *slice(below: readonly number[], slice: number, slices: number): AsyncGenerator<readonly LoggedEvent[]> {
    for (const one of this.#logged(below))
      if (Number.parseInt(one.identifiers[0]?.hash ?? '', 16) % slices === slice) yield [one];
  }
  #logged(below: readonly number[]): LoggedEvent[] {
    return this.#log.filter(({ partition, offset }) => offset < (below[partition] ?? 0));
  }

  /** From here on it takes what comes, from where the log of events ends now. */
  begin(): void {
    this.#hasBegun = true;
    for (const [n, one] of this.#projectors.entries()) one.standAt('event', this.#offsets[n] as number);
  }

  send(input: InputName, key: string, sent: unknown): void {
    const partition = partitionOf(key, this.#projectors.length);
    const value = throughAvro(records[input], sent);
    if (input === 'event') {
      const offset = this.#offsets[partition] as number;
      this.#offsets[partition] = offset + 1;
      this.#log.push({ ...(value as EventStitched), partition, offset });
      if (!this.#hasBegun) return;
    }
    this.#queues[partition]?.[input].push({ input, key, value });
  }

  async work(): Promise<void> {
    const n = Math.floor(this.#random() * (this.#projectors.length + 1));
    const one = this.#projectors[n];
    if (!one) return this.#run(this.#backfill, this.#begun.splice(0, 3));
    const queues = this.#queues[n] as Record<InputName, MemoryInput[]>;
    const ready = inputs.filter(() => this.#random() < 0.7);
    await this.#run(
      one,
      ready.flatMap((input) => queues[input].splice(0, Math.floor(this.#random() * 4))),
    );
  }

  async #run(partition: MemoryPartition, batch: readonly MemoryInput[]): Promise<void> {
    this.#letGo = new AbortController();
    const { signal } = this.#letGo;
    const run = await partition.run(batch, definitions, { now: 10_000, isCaughtUp: this.#random() < 0.7, signal });
    if (signal.aborted) this.#isRestless = true;
    expect(run.rejected).toEqual([]);
    if (run.goesOn || run.emitted.length > 0 || run.wakesAt !== undefined) this.#isRestless = true;
    for (const { output, key, value } of run.emitted) {
      if (output === 'told') {
        const told = throughAvro('TraitFill', value) as { trait: string; complete: boolean };
        if (told.trait === '' && told.complete) this.#isComplete = true;
        this.#begun.push({ input: 'begun', key, value: told });
      } else if (output !== 'profile' && output !== 'own') this.send(output as InputName, key, value);
      else if (value) {
        // Nobody is told of before all history was read.
        expect(this.#isComplete).toBe(true);
        const profile = throughAvro('Profile', value) as Profile;
        const versions = this.feed.get(profile.profile_id) ?? [];
        expect(profile.version).toBe((versions.at(-1)?.version ?? 0) + 1);
        this.feed.set(profile.profile_id, [...versions, profile]);
      }
    }
  }

  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 60; quiet++) {
      this.#isRestless = false;
      await this.work();
      const waits = this.#begun.length > 0 || this.#queues.some((one) => inputs.some((name) => one[name].length > 0));
      if (this.#isRestless || waits) quiet = 0;
    }
  }
}

/** The same events in one go, each where it is at home in the end. */
async function folded({ list }: Script, placeOf: (n: number) => string): Promise<Map<string, Profile>> {
  const projector = memoryPartition(createProjector({ generation: 2 }), 0);
  const onTrouble = (error: unknown): void => {
    throw error;
  };
  const backfill = memoryPartition(createBackfill({ generation: 2, history: noHistory, onTrouble }), 0);
  const now = { now: 10_000, isCaughtUp: true };
  const told = (await projector.run([], definitions, now)).emitted;
  const begun = told.map(({ key, value }) => ({ input: 'begun', key, value }));
  const fills = (await backfill.run(begun, definitions, now)).emitted.filter(({ output }) => output === 'fill');
  const profiles = new Map<string, Profile>();
  const { emitted } = await projector.run(
    [
      ...fills.map(({ key, value }) => ({ input: 'fill', key, value })),
      ...list.map((event) => {
        const profile_id = placeOf(Number.parseInt(event.identifiers[0]?.hash ?? '', 16));
        const value = { ...event, profile_id, mapping_version: 0, generation: 2 };
        return { input: 'event', key: profile_id, value };
      }),
    ],
    definitions,
    now,
  );
  for (const { output, value } of emitted)
    if (output === 'profile' && value) profiles.set((value as Profile).profile_id, value as Profile);
  return profiles;
}

describe('a generation that is rebuilt beside another', () => {
  it('has the same content, to the byte, as a fold of all events in one go', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, async (script) => {
        const { list, places, before, moves } = script;
        const world = new Rebuilt(script);
        const at = Array.from({ length: IDENTIFIERS }, (_, n) => ({ profile_id: `p${n}`, version: 0 }));
        let version = 0;
        const regroup = (n: number, to: number): void => {
          const from = at[n] as (typeof at)[number];
          if (from.profile_id === `p${to}`) return;
          version++;
          at[n] = { profile_id: `p${to}`, version };
          const change: IdentityChange = {
            kind: 'moved',
            profile_id: from.profile_id,
            identifier: identifier(n),
            to_profile_id: `p${to}`,
            version,
            other: null,
            reason: 'test',
            claim_ids: [],
            decided_at: 1,
            definitions: [],
            generation: 2,
          };
          world.send('ownChange', from.profile_id, change);
        };
        for (let n = 0; n <= list.length; n++) {
          if (n === Math.min(before, list.length)) world.begin();
          if (n >= before) await world.work();
          for (const move of moves) if (move.after === n) regroup(move.n, move.to);
          const event = list[n];
          const place = places[n];
          if (!event || !place) continue;
          const home = homeOf(event.identifiers[0]?.hash ?? '');
          const profile_id = place.version === 0 ? home : `p${place.profile}`;
          world.send('event', profile_id, { ...event, profile_id, mapping_version: place.version, generation: 1 });
        }
        await world.settle();
        const expected = await folded(script, (n) => at[n]?.profile_id as string);
        const alive = [...world.feed.values()]
          .map((versions) => versions.at(-1) as Profile)
          .filter(({ gone }) => !gone);
        expect(alive.map(canonicalProfile).sort()).toEqual([...expected.values()].map(canonicalProfile).sort());
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});
