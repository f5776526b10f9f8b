import fc from 'fast-check';
import { expect, test } from 'vitest';
import type {
  EventCollected,
  EventStitched,
  Identifier,
  IdentityClaim,
  Profile,
  Tributary,
} from '#schemas/generated/records.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { claim, event as eventWith, hashing, universe } from '#shared/identity/linking/arbitrary.fixture.ts';
import { resolveAll } from '#shared/identity/linking/one-shot.ts';
import { rulesIn } from '#shared/identity/linking/rules.ts';
import { partitionOf } from '#shared/kafka/partition-of.ts';
import { canonicalProfile } from '#shared/profiles/digest.ts';
import { type MemoryInput, type MemoryPartition, memoryPartition } from '#shared/task/memory.ts';
import type { Emitted } from '#shared/task/workspace.ts';
import { createLinker } from '../../services/identity-stitcher/linker.ts';
import { createResolver } from '../../services/identity-stitcher/resolver.ts';
import { ofEvent } from '../../services/profile-projector/core/event.ts';
import { combine, type nothing } from '../../services/profile-projector/core/profile.ts';
import { empty, merge } from '../../services/profile-projector/core/tributary.ts';
import { createProjector } from '../../services/profile-projector/projector.ts';

/*
 * Resolvers, linker and projectors together, with topics in memory: any events, some sent again, at once or years later; any number of partitions; topics that
 * are delivered in any batches and interleave in any way, in order only within a partition of a topic, so that mappings come as late as
 * they like. In the end: the profiles of all events at once.
 */

/** Small limits, so that the few identifiers break them. */
const definitions = new Definitions([
  {
    kind: 'identity_rules',
    name: 'default',
    version: 1,
    body: definitionKinds.identity_rules.parse({
      types: [
        { type: 'user_id', limit: 1 },
        { type: 'email', limit: 2 },
        { type: 'anonymous_id', limit: 3 },
        { type: 'device_id', limit: 2, links: 'weak' },
      ],
      sharedFrom: 3,
    }),
  },
]);
const caps = { shared: 4, kept: 6 };

const body = fc.oneof(
  fc.record({
    type: fc.constant('track'),
    event: fc.constantFrom('Order Completed', 'Order Refunded'),
    payload: fc.nat(99_999).map((cents) => `{"properties":{"revenue":${(cents / 100).toFixed(2)}}}`),
  }),
  fc.record({
    type: fc.constant('identify'),
    event: fc.constant(null),
    payload: fc.tuple(fc.constantFrom('a', 'b'), fc.nat(9)).map(([name, value]) => `{"traits":{"${name}":${value}}}`),
  }),
  fc.record({ type: fc.constant('alias'), event: fc.constant(null), payload: fc.constant('') }),
);

/** The payload of an alias names the first two identifiers of its event. */
const aliasOf = ([user, previous]: readonly Identifier[]): readonly [Identifier, Identifier] | undefined =>
  user?.type === 'user_id' && previous ? [user, previous] : undefined;

const DAY = 24 * 3_600_000;
/** How much later an event is received again. */
const gap = fc.constantFrom(0, 1, DAY - 1, DAY, 2 * DAY, 1_000 * DAY);

const few = universe.filter((_, n) => n % 2 === 0);
const logs = fc
  .array(
    fc.record({
      body,
      identifiers: fc.subarray(few, { minLength: 1, maxLength: 3 }),
      receivedAt: fc.nat(30),
      timestamp: fc.nat(4),
      source: fc.constantFrom('web', 'app'),
      again: fc.oneof(
        { weight: 4, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.array(gap, { maxLength: 2 }) },
      ),
    }),
    { maxLength: 40, size: 'max' },
  )
  .map((drafts) =>
    drafts.map(({ body, identifiers, receivedAt, again, ...rest }, n) => {
      const [user, previous] = aliasOf(identifiers) ?? [];
      const payload =
        body.type === 'alias' ? { payload: JSON.stringify({ userId: user?.value, previousId: previous?.value }) } : {};
      return { again, event: eventWith(`m${n}`, receivedAt, identifiers, { ...body, ...rest, ...payload }) };
    }),
  );

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

/** A task's partition, and what it has not read of its inputs. */
interface Reader {
  readonly partition: MemoryPartition;
  readonly waiting: ReadonlyMap<string, MemoryInput[]>;
}

/** Each partition of each topic in order, and nothing else. @returns the feed and the stitched events, record by record */
async function flow(log: readonly EventCollected[], partitions: number, pick: (below: number) => number) {
  const readers = (task: unknown, count: number, inputs: readonly string[]): Reader[] =>
    Array.from({ length: count }, (_, n) => ({
      partition: memoryPartition(task, n),
      waiting: new Map(inputs.map((input) => [input, []])),
    }));
  const resolvers = readers(createResolver({ hashing, generation: 1 }), partitions, ['event', 'mapping']);
  const linkers = readers(createLinker({ hashing, generation: 1, caps }), 1, ['claim']);
  const projectors = readers(createProjector({ generation: 1 }), partitions, ['event', 'change', 'move']);
  const all = [...resolvers, ...linkers, ...projectors];
  const feed: Emitted[] = [];
  const stitched: EventStitched[] = [];

  const offsets = new Map<MemoryInput[], number>();
  const write = (to: readonly Reader[], input: string, key: string, value: unknown): void => {
    const queue = to[partitionOf(key, to.length)]?.waiting.get(input) as MemoryInput[];
    const offset = offsets.get(queue) ?? 0;
    offsets.set(queue, offset + 1);
    queue.push({ input, key, value, offset });
  };
  const route: Readonly<Record<string, (one: Emitted) => void>> = {
    claim: ({ key, value }) => write(linkers, 'claim', key, value),
    stitched: ({ key, value }) => {
      stitched.push(value as EventStitched);
      write(projectors, 'event', key, value);
    },
    mapping: ({ key, value }) => write(resolvers, 'mapping', key, value),
    change: ({ key, value }) => write(projectors, 'change', key, value),
    move: ({ key, value }) => write(projectors, 'move', key, value),
    profile: (one) => feed.push(one),
  };

  const unsent = [...log];
  const isBusy = ({ waiting }: Reader): boolean => [...waiting.values()].some((queue) => queue.length > 0);
  for (;;) {
    const busy = all.filter(isBusy);
    if (unsent.length > 0 && pick(busy.length + 1) === 0) {
      const event = unsent.shift() as EventCollected;
      write(resolvers, 'event', event.identifiers[0]?.hash ?? '', event);
      continue;
    }
    if (busy.length === 0) return { feed, stitched };
    const { partition, waiting } = busy[pick(busy.length)] as Reader;
    const batch: MemoryInput[] = [];
    for (let left = 1 + pick(12); left > 0; left--) {
      const queues = [...waiting.values()].filter((queue) => queue.length > 0);
      const next = queues[pick(queues.length)]?.shift();
      if (next) batch.push(next);
    }
    const run = await partition.run(batch, definitions);
    expect(run.rejected).toEqual([]);
    for (const one of run.emitted) route[one.output]?.(one);
  }
}

/** What the profiles must be: all claims resolved at once, and of each group all events folded at once. */
function expected(events: readonly EventCollected[]): string[] {
  const claims = events.flatMap(({ type, identifiers, received_at, timestamp, source }) => {
    const occurredAt = Math.min(timestamp, received_at);
    const says = (kind: string, about: readonly Identifier[]): IdentityClaim =>
      claim(kind, about, received_at, source, 'resolver-0', occurredAt);
    const pairs = identifiers.flatMap((one, n) => identifiers.slice(n + 1).map((other) => [one, other]));
    const alias = type === 'alias' ? aliasOf(identifiers) : undefined;
    return [
      ...[...identifiers.map((one) => [one]), ...pairs].map((about) => says('observed', about)),
      ...(alias ? [says('alias', alias)] : []),
    ];
  });
  const tributaries = new Map<string, Tributary>();
  for (const event of events) {
    const identifier = event.identifiers[0] as Identifier;
    const part = ofEvent({ ...event, profile_id: '', mapping_version: 0 }, identifier, event.currency);
    tributaries.set(identifier.hash, merge(tributaries.get(identifier.hash) ?? empty(identifier), part));
  }
  return resolveAll(claims, rulesIn(definitions), caps).flatMap(({ anchor, members }) => {
    const content = combine(members.map(({ identifier }) => tributaries.get(identifier.hash) ?? empty(identifier)));
    return content.events > 0
      ? [canonicalOf({ profile_id: hashing.profileIdOf(anchor.identifier.hash), ...content })]
      : [];
  });
}

const canonicalOf = (profile: Pick<Profile, 'profile_id' | keyof typeof nothing>): string =>
  canonicalProfile({ ...profile, gone: false, into: null } as Profile);

/** The profiles that exist in the end; versions rise by one, and a tombstone follows the last of one that is gone. */
function lastOf(feed: readonly Emitted[]): Profile[] {
  const alive = new Map<string, Profile>();
  const versions = new Map<string, number>();
  for (const { key, value } of feed) {
    const profile = value as Profile | null;
    if (profile) {
      expect(profile.version, `version of ${key}`).toBe((versions.get(key) ?? 0) + 1);
      versions.set(key, profile.version);
      alive.set(key, profile);
    } else {
      expect(alive.get(key)?.gone, `a last value of ${key}`).toBe(true);
      alive.delete(key);
    }
  }
  return [...alive.values()];
}

test('whatever comes when, the profiles are those of all events at once, and no version is missing', async () => {
  await fc.assert(
    fc.asyncProperty(logs, fc.integer({ min: 1, max: 4 }), fc.integer(), async (drafts, partitions, seed) => {
      const pick = choices(seed);
      const copies = drafts.flatMap(({ event, again }) =>
        [0, ...again].map((later) => ({ ...event, received_at: event.received_at + later })),
      );
      const log = copies
        .map((event) => ({ event, rank: pick(1_000) }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ event }) => event);
      const first = new Map([...log].reverse().map((event) => [event.message_id, event]));
      const { feed, stitched } = await flow(log, partitions, pick);
      expect(stitched.map(({ message_id }) => message_id).sort()).toEqual(
        drafts.map(({ event }) => event.message_id).sort(),
      );
      expect(lastOf(feed).map(canonicalProfile).sort()).toEqual(expected([...first.values()]).sort());
    }),
    { numRuns: 300 },
  );
});
