import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  EventStitched,
  IdentityChange,
  PlaceCells,
  Profile,
  RecordName,
  TraitCells,
  TraitFill,
} from '#schemas/generated/records.ts';
import type { History, LoggedEvent } from '#shared/clickhouse/event-log.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { aggregates, events as askedEvents, conditions, NOW, zones } from '#shared/expressions/arbitrary.fixture.ts';
import { aggregatesIn, orderOf } from '#shared/expressions/condition.ts';
import { evaluate, holdsOf } from '#shared/expressions/evaluate.ts';
import { type Aggregate, type Expression, isAggregate, timesOf } from '#shared/expressions/expression.ts';
import { parseExpression } from '#shared/expressions/parse.ts';
import { typeOf } from '#shared/kafka/codec.ts';
import { partitionOf } from '#shared/kafka/partition-of.ts';
import { type MemoryInput, type MemoryPartition, type MemoryRun, memoryPartition } from '#shared/task/memory.ts';
import { createBackfill } from './backfill.ts';
import { baseEvent, identifier } from './core/arbitrary.fixture.ts';
import { keyOf } from './core/cells.ts';
import { createProjector } from './projector.ts';

/*
 * The projector and the reader of history together, in memory: events and regroupings come while definitions are made, changed and
 * taken away, and while the time goes on. In the end every profile says what the naive evaluator says of its events.
 */

const HOUR = 3_600_000;
const SECOND = 1_000;
const IDENTIFIERS = 4;
/** Conditions ask about the first. */
const names = ['orders', 'likes'];

type Step =
  | {
      readonly kind: 'event';
      readonly n: number;
      readonly event: ReturnType<typeof asEvent>;
      readonly isStale: boolean;
    }
  | { readonly kind: 'regroup'; readonly n: number; readonly to: number }
  | { readonly kind: 'define'; readonly name: string; readonly zone: string; readonly asked: Expression | undefined }
  | { readonly kind: 'later'; readonly hours: number }
  | { readonly kind: 'work'; readonly batches: number };

/** Half of them ask for all events, so that each shows. */
const simple: fc.Arbitrary<Aggregate> = fc
  .tuple(
    fc.constantFrom('count' as const, 'daysSince' as const),
    fc.constantFrom(
      undefined,
      { hours: 1 },
      { hours: 12 },
      { hours: 30 },
      { hours: 50 },
      { days: 1 },
      { days: 2 },
      { days: 3 },
    ),
  )
  .map(([aggregate, within]) => ({ aggregate, of: {}, ...(within && { within }) }));
const howMuch: fc.Arbitrary<Expression> = fc
  .tuple(simple, fc.integer({ min: 1, max: 4 }))
  .map(([asked, atLeast]) => ({ ...asked, atLeast }));
/** What a definition may say. */
const questions: fc.Arbitrary<Expression> = fc
  .oneof<fc.Arbitrary<Expression>[]>(aggregates, simple, simple, howMuch, howMuch, conditions)
  .filter((asked) => 'expression' in parseExpression(asked));

const asEvent = ({ payload, ...rest }: { payload: string }) => ({ ...rest, payload });

const steps: fc.Arbitrary<Step[]> = fc
  .tuple(
    askedEvents(NOW),
    fc.array(fc.tuple(fc.nat(IDENTIFIERS - 1), fc.boolean()), { minLength: 30, maxLength: 30 }),
    fc.array(
      fc.oneof(
        {
          weight: 3,
          arbitrary: fc.record({
            kind: fc.constant('regroup' as const),
            n: fc.nat(IDENTIFIERS - 1),
            to: fc.nat(IDENTIFIERS - 1),
          }),
        },
        {
          weight: 3,
          arbitrary: fc.record({
            kind: fc.constant('define' as const),
            name: fc.constantFrom(...names),
            zone: zones,
            asked: fc.option(questions, { nil: undefined, freq: 5 }),
          }),
        },
        {
          weight: 1,
          arbitrary: fc.record({ kind: fc.constant('later' as const), hours: fc.integer({ min: 1, max: 30 }) }),
        },
        {
          weight: 4,
          arbitrary: fc.record({ kind: fc.constant('work' as const), batches: fc.integer({ min: 1, max: 6 }) }),
        },
      ),
      { minLength: 8, maxLength: 30 },
    ),
  )
  .chain(([events, places, others]) => {
    const all: Step[] = events.map((event, at) => {
      const [n, isStale] = places[at] as [number, boolean];
      return { kind: 'event', n, isStale, event: asEvent(event) };
    });
    all.push(...others);
    return fc.shuffledSubarray(all, { minLength: all.length });
  });

const topics = ['event', 'change', 'move', 'fill'] as const;
type TopicName = (typeof topics)[number];
const records = {
  event: 'EventStitched',
  change: 'IdentityChange',
  move: 'Move',
  fill: 'Fill',
  profile: 'Profile',
  told: 'TraitFill',
} as const;
const throughAvro = <T>(record: RecordName, value: T): T =>
  typeOf(record).fromBuffer(typeOf(record).toBuffer(value)) as T;

class World implements History {
  readonly profiles = new Map<string, Profile>();
  now = NOW;
  definitions = new Definitions();
  readonly #projectors: MemoryPartition[];
  readonly #backfill: MemoryPartition;
  readonly #queues: Record<TopicName, MemoryInput[]>[];
  readonly #log: LoggedEvent[] = [];
  readonly #begun: MemoryInput[] = [];
  readonly #random: () => number;
  readonly #resting = new Map<MemoryPartition, { goesOn: boolean; wakesAt: number; definitions: Definitions }>();
  readonly #offsets: number[];
  /** Whether something may be done without inputs. */
  #restless = true;

  constructor(partitions: number, random: () => number) {
    const projector = createProjector({ generation: 1 });
    const onTrouble = (error: unknown): void => {
      throw error;
    };
    this.#projectors = Array.from({ length: partitions }, (_, n) => memoryPartition(projector, n, partitions));
    this.#backfill = memoryPartition(createBackfill({ generation: 1, history: this, onTrouble }), 0);
    this.#queues = this.#projectors.map(() => ({ event: [], change: [], move: [], fill: [] }));
    this.#offsets = this.#projectors.map(() => 0);
    this.#random = random;
  }

  async reaches(): Promise<boolean> {
    return this.#random() < 0.7;
  }
  async count(below: readonly number[]): Promise<number> {
    // As many as make several slices.
    return this.#logged(below).length * 2_000;
  }
  async *slice(below: readonly number[], slice: number, slices: number): AsyncGenerator<readonly LoggedEvent[]> {
    for (const one of this.#logged(below))
      if (Number.parseInt(one.identifiers[0]?.hash ?? '', 16) % slices === slice) yield [one];
  }
  #logged(below: readonly number[]): LoggedEvent[] {
    return this.#log.filter(({ partition, offset }) => offset < (below[partition] ?? 0));
  }

  send(topic: TopicName, key: string, sent: unknown): void {
    const partition = partitionOf(key, this.#projectors.length);
    const value = throughAvro(records[topic], sent);
    let offset: number | undefined;
    if (topic === 'event') {
      const event = value as EventStitched;
      offset = this.#offsets[partition] as number;
      this.#offsets[partition] = offset + 1;
      this.#log.push({ ...event, partition, offset });
    }
    this.#queues[partition]?.[topic].push({ input: topic, key, value, ...(offset !== undefined && { offset }) });
  }

  async work(): Promise<void> {
    this.now += SECOND;
    const n = Math.floor(this.#random() * (this.#projectors.length + 1));
    if (n === this.#projectors.length) {
      await this.#run(this.#backfill, this.#begun.splice(0, 3), true);
      return;
    }
    const queues = this.#queues[n] as Record<TopicName, MemoryInput[]>;
    const batch: MemoryInput[] = [];
    const ready = topics.filter(() => this.#random() < 0.7);
    for (const topic of ready) batch.push(...queues[topic].splice(0, Math.floor(this.#random() * 4)));
    await this.#run(this.#projectors[n] as MemoryPartition, batch, this.#random() < 0.6);
  }

  /** As the loop does: without inputs only what has more to do by itself, and is awake. */
  async #run(partition: MemoryPartition, batch: readonly MemoryInput[], isCaughtUp: boolean): Promise<void> {
    const { now, definitions } = this;
    const rest = this.#resting.get(partition);
    const isAwake = !rest || rest.goesOn || rest.wakesAt <= now || rest.definitions !== definitions;
    if (batch.length === 0 && !isAwake) return;
    const run = await partition.run(batch, definitions, { now, isCaughtUp });
    const before = rest && rest.wakesAt > now ? rest.wakesAt : Number.POSITIVE_INFINITY;
    this.#resting.set(partition, { goesOn: run.goesOn, wakesAt: run.wakesAt ?? before, definitions });
    // Who waits for others to be caught up is not at rest.
    if ((run.wakesAt ?? Number.POSITIVE_INFINITY) <= now + SECOND) this.#restless = true;
    this.#take(run);
  }

  #take(run: MemoryRun): void {
    expect(run.rejected).toEqual([]);
    if (run.goesOn || run.emitted.length > 0) this.#restless = true;
    for (const { output, key, value } of run.emitted) {
      if (output === 'told')
        this.#begun.push({ input: 'begun', key, value: throughAvro('TraitFill', value as TraitFill) });
      else if (output !== 'profile') this.send(output as TopicName, key, value);
      else if (value === null) this.profiles.delete(key);
      else this.#version(throughAvro('Profile', value as Profile));
    }
  }

  #version(profile: Profile): void {
    const before = this.profiles.get(profile.profile_id);
    if (before) expect(profile.version).toBe(before.version + 1);
    this.profiles.set(profile.profile_id, profile);
  }

  /** All that is kept, by trait@version. */
  kept(): Map<string, TraitCells[]> {
    const together = this.#projectors.flatMap((one) => one.entries('place') as [string, PlaceCells][]);
    const apart = this.#projectors.flatMap((one) => one.entries('cells') as [string, TraitCells][]);
    return Map.groupBy([...together.flatMap(([, { parts }]) => parts), ...apart.map(([, part]) => part)], keyOf);
  }

  /** Until nothing more happens. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 60; quiet++) {
      this.#restless = false;
      await this.work();
      const waiting =
        this.#begun.length > 0 || this.#queues.some((queues) => topics.some((one) => queues[one].length > 0));
      if (this.#restless || waiting) quiet = 0;
    }
  }
}

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

async function play(script: readonly Step[], partitions: number, seed: number, hours: number): Promise<void> {
  const world = new World(partitions, randomOf(seed));
  const places = Array.from({ length: IDENTIFIERS }, (_, n) => [{ profile_id: `p${n}`, version: 0 }]);
  const sent = Array.from({ length: IDENTIFIERS }, (): EventStitched[] => []);
  const defined = new Map<string, { version: number; zone: string; asked: Expression }>();
  let version = 0;
  let count = 0;
  for (const step of script) {
    if (step.kind === 'work') for (let n = 0; n < step.batches; n++) await world.work();
    else if (step.kind === 'later') world.now += step.hours * HOUR;
    else if (step.kind === 'define') {
      version++;
      const asked = new Map([...defined].map(([name, one]) => [name, one.asked]));
      // A circle is refused.
      if (step.asked && 'cycle' in orderOf(asked.set(step.name, step.asked))) continue;
      if (step.asked) {
        const body = { description: '', sensitivity: 'none' as const, compute: step.asked, timeZone: step.zone };
        world.definitions = world.definitions.with({ kind: 'traits', name: step.name, version, body });
        defined.set(step.name, { version, zone: step.zone, asked: step.asked });
      } else {
        world.definitions = world.definitions.without(`traits/${step.name}`);
        defined.delete(step.name);
      }
    } else if (step.kind === 'regroup') {
      const history = places[step.n] as (typeof places)[number];
      const from = history.at(-1) as (typeof history)[number];
      const to = `p${step.to}`;
      if (from.profile_id === to) continue;
      version++;
      history.push({ profile_id: to, version });
      const change: IdentityChange = {
        kind: 'moved',
        profile_id: from.profile_id,
        identifier: identifier(step.n),
        to_profile_id: to,
        version,
        other: null,
        reason: 'test',
        claim_ids: [],
        decided_at: 1,
        definitions: [],
        generation: 1,
      };
      world.send('change', from.profile_id, change);
    } else {
      const history = places[step.n] as (typeof places)[number];
      const place = history[step.isStale ? 0 : history.length - 1] as (typeof history)[number];
      const event: EventStitched = {
        ...baseEvent,
        ...(step.event as Partial<EventStitched>),
        message_id: `m${count++}`,
        identifiers: [identifier(step.n)],
        profile_id: place.profile_id,
        mapping_version: place.version,
      };
      sent[step.n]?.push(event);
      world.send('event', place.profile_id, event);
    }
  }
  await world.settle();
  world.now += hours * HOUR;
  await world.settle();
  const members = Map.groupBy(
    places.map((history, n) => ({ n, profile: history.at(-1)?.profile_id as string })),
    ({ profile }) => profile,
  );
  const kept = world.kept();
  for (const [trait, { version, asked, zone }] of defined) {
    for (const { part, cells } of kept.get(keyOf({ trait, version })) ?? []) {
      const { within } = aggregatesIn(asked)[part] as Aggregate;
      expect(cells.length, 'an empty part is kept').toBeGreaterThan(0);
      if (within)
        expect(cells[0]?.from, `dormant: ${trait}`).toBeGreaterThanOrEqual(timesOf(within, world.now, zone)[0]);
    }
  }
  for (const [profile, those] of members) {
    const all = those.flatMap(({ n }) => sent[n] ?? []);
    if (all.length === 0) continue;
    const told = world.profiles.get(profile);
    const traits = new Map(told?.traits.map(({ name, value }) => [name, value]));
    const computed = new Map<string, string>();
    const found = orderOf(new Map([...defined].map(([name, { asked }]) => [name, asked])));
    for (const name of 'order' in found ? found.order : []) {
      const { asked, zone } = defined.get(name) as { asked: Expression; zone: string };
      const answer = isAggregate(asked)
        ? evaluate(asked, all, world.now, zone)
        : holdsOf(asked, { traits, computed }, all, world.now, zone);
      if (answer !== undefined) computed.set(name, JSON.stringify(answer));
    }
    const expected = [...computed]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => ({ name, value, definition_version: defined.get(name)?.version }));
    expect(world.profiles.get(profile)?.computed, profile).toEqual(expected);
    expect(world.profiles.get(profile)?.events).toBe(all.length);
  }
}

describe('computed traits', () => {
  it('say what all events of a profile say, whenever they were defined, however it regroups and whatever comes late', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 3 }), fc.integer(), fc.integer({ min: 0, max: 60 }), play),
      { numRuns: 800 },
    );
  });
});
