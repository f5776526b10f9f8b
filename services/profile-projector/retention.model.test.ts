import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  EventStitched,
  Identifier,
  IdentityChange,
  Profile,
  ProfileExpiry,
  ProfileState,
  RecordName,
  TraitFill,
  Tributary,
} from '#schemas/generated/records.ts';
import type { History, LoggedEvent } from '#shared/clickhouse/event-log.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { typeOf } from '#shared/kafka/codec.ts';
import { partitionOf } from '#shared/kafka/partition-of.ts';
import { canonicalProfile } from '#shared/profiles/digest.ts';
import { type MemoryInput, type MemoryPartition, type MemoryRun, memoryPartition } from '#shared/task/memory.ts';
import { createBackfill } from './backfill.ts';
import { events } from './core/arbitrary.fixture.ts';
import { ofEvent } from './core/event.ts';
import { combine } from './core/profile.ts';
import { empty, merge } from './core/tributary.ts';
import { createProjector } from './projector.ts';

/*
 * Profiles that fall silent, in any number of partitions, while identifiers are discovered and regroup, a trait is defined and taken away,
 * and events come at once, late, or once more, when they are long forgotten. Whenever all is quiet a profile is the fold, in one go, of the
 * events of its identifiers that were received after the last that was said to have expired.
 */

const HOUR = 3_600_000;
const SECOND = 1_000;
const LIMIT = 100 * HOUR;
const GRACE = 24 * HOUR;
const NOW = Date.UTC(2026, 2, 14, 12);
const IDENTIFIERS = 5;
const types = ['user_id', 'anonymous_id', 'anonymous_id', 'anonymous_id', 'device_id'];
const anonymous = new Set(['anonymous_id', 'device_id']);
const identifier = (n: number): Identifier => ({
  type: types[n] as string,
  value: `value ${n}`,
  hash: n.toString(16).padStart(32, '0'),
});
const homeOf = (hash: string): string => `p${Number.parseInt(hash, 16)}`;

type Step =
  | { readonly kind: 'event'; readonly n: number; readonly event: EventStitched; readonly staleness: number }
  | {
      readonly kind: 'late';
      readonly n: number;
      readonly event: EventStitched;
      readonly staleness: number;
      readonly hoursAgo: number;
    }
  | { readonly kind: 'discover'; readonly n: number }
  | { readonly kind: 'regroup'; readonly n: number; readonly to: number }
  | { readonly kind: 'define'; readonly isDefined: boolean }
  | { readonly kind: 'later'; readonly hours: number }
  | { readonly kind: 'silence'; readonly hours: number }
  | { readonly kind: 'work'; readonly batches: number };

const identifiers = fc.nat(IDENTIFIERS - 1);
const others: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('regroup' as const), n: identifiers, to: identifiers }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('discover' as const), n: identifiers }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('define' as const), isDefined: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('later' as const), hours: fc.integer({ min: 1, max: 20 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('silence' as const), hours: fc.integer({ min: 30, max: 160 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('work' as const), batches: fc.integer({ min: 1, max: 5 }) }) },
);

const steps: fc.Arbitrary<Step[]> = fc
  .tuple(
    events({ maxLength: 16 }),
    fc.array(fc.tuple(identifiers, fc.nat(2), fc.integer({ min: -300, max: 300 })), { minLength: 16, maxLength: 16 }),
    fc.array(others, { minLength: 10, maxLength: 25 }),
  )
  .chain(([list, places, rest]) => {
    const all: Step[] = list.map((event, at): Step => {
      const [n, staleness, hoursAgo] = places[at] as [number, number, number];
      // Most are people.
      const some = { n, staleness, event: { ...event, kind: at % 7 === 6 ? event.kind : 'person' } };
      return hoursAgo > 0 ? { kind: 'late', hoursAgo, ...some } : { kind: 'event', ...some };
    });
    all.push(...rest);
    return fc.shuffledSubarray(all, { minLength: all.length });
  });

const topics = ['event', 'change', 'move', 'fill', 'expiry'] as const;
type TopicName = (typeof topics)[number];
const records = {
  event: 'EventStitched',
  change: 'IdentityChange',
  move: 'Move',
  fill: 'Fill',
  expiry: 'ProfileExpiry',
} as const;
const throughAvro = <T>(record: RecordName, value: T): T =>
  typeOf(record).fromBuffer(typeOf(record).toBuffer(value)) as T;

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

class World implements History {
  readonly profiles = new Map<string, Profile>();
  /** By hash: what is forgotten. */
  readonly forgotten = new Map<string, number>();
  /** By hash: when something was received last that has arrived. */
  readonly arrived = new Map<string, number>();
  now = NOW;
  definitions = new Definitions();
  folded = 0;
  expired = 0;
  forgottenEvents = 0;
  expiredProfiles = 0;
  readonly #versions = new Map<string, number>();
  readonly #projectors: MemoryPartition[];
  readonly #backfill: MemoryPartition;
  readonly #queues: Record<TopicName, MemoryInput[]>[];
  readonly #log: LoggedEvent[] = [];
  /** What the log does not know yet. */
  #unread: ProfileExpiry[] = [];
  readonly #read = new Map<string, number>();
  readonly #begun: MemoryInput[] = [];
  readonly #random: () => number;
  readonly #resting = new Map<MemoryPartition, { goesOn: boolean; wakesAt: number; definitions: Definitions }>();
  readonly #offsets: number[];
  #restless = true;
  #quietAt = NOW;

  constructor(partitions: number, random: () => number) {
    const projector = createProjector({ generation: 1, retention: { ms: LIMIT, homeOf } });
    const onTrouble = (error: unknown): void => {
      throw error;
    };
    this.#projectors = Array.from({ length: partitions }, (_, n) => memoryPartition(projector, n, partitions));
    this.#backfill = memoryPartition(createBackfill({ generation: 1, history: this, onTrouble }), 0);
    this.#queues = this.#projectors.map(() => ({ event: [], change: [], move: [], fill: [], expiry: [] }));
    this.#offsets = this.#projectors.map(() => 0);
    this.#random = random;
  }

  async reaches(): Promise<boolean> {
    if (this.#random() < 0.5) this.#readExpiries();
    return this.#unread.length === 0;
  }
  async count(below: readonly number[]): Promise<number> {
    return this.#logged(below).length * 2_000;
  }
  async *slice(below: readonly number[], slice: number, slices: number): AsyncGenerator<readonly LoggedEvent[]> {
    if (this.#random() < 0.3) this.#readExpiries();
    for (const one of this.#logged(below))
      if (Number.parseInt(one.identifiers[0]?.hash ?? '', 16) % slices === slice) yield [one];
  }
  #logged(below: readonly number[]): LoggedEvent[] {
    return this.#log.filter(
      ({ partition, offset, identifiers: [routing], received_at }) =>
        offset < (below[partition] ?? 0) && received_at > (this.#read.get(routing?.hash ?? '') ?? 0),
    );
  }
  #readExpiries(): void {
    for (const { hash, until } of this.#unread) this.#read.set(hash, Math.max(until, this.#read.get(hash) ?? 0));
    this.#unread = [];
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
    if (n === this.#projectors.length) return this.#run(this.#backfill, this.#begun.splice(0, 3), true);
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

  #take({ rejected, goesOn, emitted, byInput, counts }: MemoryRun): void {
    expect(rejected).toEqual([]);
    if (goesOn || emitted.length > 0) this.#restless = true;
    const { folded = 0, passed_on = 0, expired = 0 } = byInput.event ?? {};
    this.folded += folded + passed_on;
    this.expired += expired;
    this.forgottenEvents += counts.forgotten_events ?? 0;
    this.expiredProfiles += counts.expired_profiles ?? 0;
    for (const { output, key, value } of emitted) {
      if (output === 'told')
        this.#begun.push({ input: 'begun', key, value: throughAvro('TraitFill', value as TraitFill) });
      else if (output === 'profile' && value === null) this.profiles.delete(key);
      else if (output === 'profile') this.#version(throughAvro('Profile', value as Profile));
      else {
        if (output === 'expiry') this.#expiry(key, value as ProfileExpiry);
        this.send(output as TopicName, key, value);
      }
    }
  }

  /** Only who was silent for so long expires, and only if nothing that was known identified it. */
  #expiry(key: string, expiry: ProfileExpiry): void {
    const { hash, until, profile_id, decided_at } = expiry;
    expect(key).toBe(homeOf(hash));
    expect(until).toBe(decided_at - LIMIT);
    expect(this.arrived.get(hash) ?? 0).toBeLessThanOrEqual(until);
    // Of what was only seen beside others there is no profile.
    const profile = this.profiles.get(profile_id);
    expect(profile?.kind ?? 'person').toBe('person');
    expect((profile?.identifiers ?? []).filter(({ type }) => !anonymous.has(type))).toEqual([]);
    this.forgotten.set(hash, Math.max(until, this.forgotten.get(hash) ?? 0));
    this.#unread.push(expiry);
  }

  #version(profile: Profile): void {
    const { profile_id, version, gone, into, why, events } = profile;
    expect(version).toBe((this.#versions.get(profile_id) ?? 0) + 1);
    expect(gone).toBe(events === 0);
    if (gone) expect(into !== null || why.includes('retention'), why.join()).toBe(true);
    else expect(into).toBeNull();
    this.#versions.set(profile_id, version);
    this.profiles.set(profile_id, profile);
  }

  /** Until nothing more happens. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 40; quiet++) {
      this.#restless = false;
      await this.work();
      const waiting =
        this.#begun.length > 0 || this.#queues.some((queues) => topics.some((one) => queues[one].length > 0));
      if (this.#restless || waiting) quiet = 0;
    }
    this.#quietAt = this.now;
    for (const { identifiers, received_at } of this.#log) {
      const { hash } = identifiers[0] as Identifier;
      this.arrived.set(hash, Math.max(received_at, this.arrived.get(hash) ?? 0));
    }
  }

  /** What is on its way arrives within less than profiles are kept. */
  async later(hours: number): Promise<void> {
    if (this.now + hours * HOUR - this.#quietAt > LIMIT / 2) await this.settle();
    this.now += hours * HOUR;
  }

  entries(store: string): [string, unknown][] {
    return this.#projectors.flatMap((partition) => partition.entries(store));
  }
}

async function play(script: readonly Step[], partitions: number, seed: number): Promise<boolean> {
  const world = new World(partitions, randomOf(seed));
  const places = Array.from({ length: IDENTIFIERS }, (_, n) => [{ profile_id: `p${n}`, version: 0 }]);
  const sent = Array.from({ length: IDENTIFIERS }, (): EventStitched[] => []);
  const discovered = new Map<number, number>();
  let version = 0;
  let defined: number | undefined;
  const change = (n: number, profile_id: string, fields: Partial<IdentityChange>): void => {
    const value: IdentityChange = {
      kind: 'moved',
      profile_id,
      identifier: identifier(n),
      to_profile_id: null,
      version: 0,
      other: null,
      reason: 'test',
      claim_ids: [],
      decided_at: world.now,
      definitions: [],
      generation: 1,
      ...fields,
    };
    world.send('change', profile_id, value);
  };
  const occur = (n: number, of: EventStitched, staleness: number, received_at: number): void => {
    const history = places[n] as (typeof places)[number];
    const { profile_id, version: mapping_version } = history[Math.max(0, history.length - 1 - staleness)] as {
      profile_id: string;
      version: number;
    };
    const event = { ...of, identifiers: [identifier(n)], received_at, profile_id, mapping_version };
    sent[n]?.push(event);
    world.send('event', profile_id, event);
  };

  /** What each profile must be. @returns whether any is left that nothing identifies */
  const check = (): boolean => {
    let isAnyAnonymous = false;
    for (let p = 0; p < IDENTIFIERS; p++) {
      const members = places.flatMap((history, n) => {
        if (history.at(-1)?.profile_id !== `p${p}`) return [];
        const until = world.forgotten.get(identifier(n).hash) ?? 0;
        const parts = (sent[n] ?? [])
          .filter(({ received_at }) => received_at > until)
          .map((event) => ofEvent(event, identifier(n), event.currency));
        const seen = discovered.get(n) ?? 0;
        if (seen > until) parts.push(empty(identifier(n), seen));
        const [first, ...rest] = parts;
        return first ? [rest.reduce(merge, first)] : [];
      });
      const told = world.profiles.get(`p${p}`);
      const count = members.reduce((sum, { events: each }) => sum + each, 0);
      if (count === 0) {
        expect(told, `p${p}`).toBeUndefined();
        continue;
      }
      expect(told, `p${p}`).toBeDefined();
      const computed = [{ name: 'seen', value: String(count), definition_version: defined as number }];
      const whole = { ...(told as Profile), ...combine(members), computed: defined === undefined ? [] : computed };
      expect(canonicalProfile(told as Profile)).toBe(canonicalProfile(whole));
      isAnyAnonymous ||= members.every(({ identifier: { type }, kind }) => anonymous.has(type) && kind === 'person');
    }
    return isAnyAnonymous;
  };

  for (const step of script) {
    if (step.kind === 'work') for (let n = 0; n < step.batches; n++) await world.work();
    else if (step.kind === 'later') await world.later(step.hours);
    else if (step.kind === 'silence') {
      await world.settle();
      world.now += step.hours * HOUR;
      await world.settle();
      check();
    } else if (step.kind === 'define') {
      version++;
      const body = { description: '', sensitivity: 'none', compute: { aggregate: 'count', of: {} } } as const;
      world.definitions = step.isDefined
        ? world.definitions.with({ kind: 'traits', name: 'seen', version, body })
        : world.definitions.without('traits/seen');
      defined = step.isDefined ? version : undefined;
    } else if (step.kind === 'discover') {
      if (!discovered.has(step.n)) change(step.n, `p${step.n}`, { kind: 'discovered' });
      discovered.set(step.n, discovered.get(step.n) ?? world.now);
    } else if (step.kind === 'regroup') {
      const history = places[step.n] as (typeof places)[number];
      const from = history.at(-1)?.profile_id as string;
      const to = `p${step.to}`;
      if (from === to) continue;
      version++;
      history.push({ profile_id: to, version });
      change(step.n, from, { to_profile_id: to, version });
    } else if (step.kind === 'late') {
      await world.settle();
      occur(step.n, step.event, step.staleness, world.now - step.hoursAgo * HOUR);
      await world.settle();
    } else occur(step.n, step.event, step.staleness, world.now);
  }
  await world.settle();
  check();
  world.now += LIMIT + GRACE + HOUR;
  await world.settle();
  expect(check(), 'nobody is left who should have expired').toBe(false);

  const alive = [...world.profiles.values()];
  expect(world.folded - world.forgottenEvents).toBe(alive.reduce((sum, profile) => sum + profile.events, 0));
  expect(world.folded + world.expired).toBe(sent.flat().length);
  const held = new Map(world.entries('tributary') as [string, Tributary][]);
  for (const [key, { members }] of world.entries('profile') as [string, ProfileState][])
    if (members.length > 0 && !world.profiles.has(key))
      expect(
        members
          .map((hash) => held.get(`${key}/${hash}`)?.identifier.type)
          .filter((type) => !anonymous.has(type as string)),
        key,
      ).not.toEqual([]);
  for (const [key] of world.entries('cells')) expect(held.has(key.split('/', 2).join('/')), key).toBe(true);
  const timers = world.entries('timer').map(([, timer]) => (timer as { profile_id: string }).profile_id);
  expect(new Set(timers).size).toBe(timers.length);
  expect(timers.filter((id) => !world.profiles.has(id))).toEqual([]);
  return world.expiredProfiles > 0;
}

describe('anonymous profiles', () => {
  it('expire when they have been silent, are forgotten for good, and begin anew', async () => {
    let expiring = 0;
    const runs = 300;
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 3 }), fc.integer(), async (script, partitions, seed) => {
        if (await play(script, partitions, seed)) expiring++;
      }),
      { numRuns: runs },
    );
    expect(expiring).toBeGreaterThan(runs / 2);
  }, 120_000);
});
