import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EventCollected, EventStitched, IdentityClaim } from '#schemas/generated/records.ts';
import {
  batchSizes,
  event,
  events,
  hashing,
  identifier,
  inBatches,
  orderSeeds,
  shuffled,
} from '#shared/identity/linking/arbitrary.fixture.ts';
import { type MemoryInput, type MemoryPartition, memoryPartition } from '#shared/task/memory.ts';
import { createResolver } from './resolver.ts';
import { restored } from './simulation.ts';

const stores = ['resolution', 'seen', 'sighting'];
const newResolver = () => createResolver({ hashing, generation: 1 });
const [user, laptop] = [identifier('user_id', 'u'), identifier('anonymous_id', 'laptop')];

const inputOf = (value: EventCollected, offset?: number): MemoryInput => ({
  input: 'event',
  key: value.identifiers[0]?.hash ?? '',
  value,
  ...(offset === undefined ? {} : { offset }),
});
const mapping = (hash: string, profileId: string | null, version: number): MemoryInput => ({
  input: 'mapping',
  key: hash,
  value: profileId && { hash, profile_id: profileId, version, decided_at: 0, generation: 1 },
});

const claimsOf = ({ emitted }: Awaited<ReturnType<MemoryPartition['run']>>): IdentityClaim[] =>
  emitted.filter(({ output }) => output === 'claim').map(({ value }) => value as IdentityClaim);
const stitchedOf = ({ emitted }: Awaited<ReturnType<MemoryPartition['run']>>): EventStitched[] =>
  emitted.filter(({ output }) => output === 'stitched').map(({ value }) => value as EventStitched);

describe('stitching', () => {
  test('an event keeps all its fields and gets its default profile', async () => {
    const run = await memoryPartition(newResolver(), 0).run([inputOf(event('m', 5, [user, laptop]))]);
    const profile = hashing.profileIdOf(user.hash);
    expect(stitchedOf(run)).toEqual([{ ...event('m', 5, [user, laptop]), profile_id: profile, mapping_version: 0 }]);
    expect(run.emitted.find(({ output }) => output === 'stitched')).toMatchObject({ key: profile, timestamp: 5 });
  });

  test('the newest mapping counts, an overtaken one does not, a tombstone takes it away', async () => {
    const resolver = memoryPartition(newResolver(), 0);
    const whereTo = async (messageId: string) => {
      const [stitched] = stitchedOf(await resolver.run([inputOf(event(messageId, 5, [user]))]));
      return [stitched?.profile_id, stitched?.mapping_version];
    };
    expect((await resolver.run([mapping(user.hash, 'P', 7)])).outcomes).toEqual({ learned: 1 });
    expect(await whereTo('m1')).toEqual(['P', 7]);
    expect((await resolver.run([mapping(user.hash, 'Q', 6)])).outcomes).toEqual({ stale: 1 });
    expect(await whereTo('m2')).toEqual(['P', 7]);
    expect((await resolver.run([mapping(user.hash, null, 0)])).outcomes).toEqual({ removed: 1 });
    expect(await whereTo('m3')).toEqual([hashing.profileIdOf(user.hash), 0]);
  });

  test('a mapping counts for the events after it in the same batch', async () => {
    const run = await memoryPartition(newResolver(), 0).run([
      inputOf(event('m1', 5, [user])),
      mapping(user.hash, 'P', 7),
      inputOf(event('m2', 6, [user])),
    ]);
    expect(stitchedOf(run).map(({ profile_id: id }) => id)).toEqual([hashing.profileIdOf(user.hash), 'P']);
  });
});

describe('what cannot be stitched', () => {
  test('has a reason', async () => {
    const { rejected, emitted } = await memoryPartition(newResolver(), 0).run([
      inputOf(event('m', 5, [])),
      { ...inputOf(event('m', 5, [user])), key: laptop.hash },
      { input: 'event', key: user.hash, value: null },
    ]);
    expect(rejected.map(({ reason }) => reason)).toEqual(['no_identifier', 'misrouted', 'empty']);
    expect(emitted).toEqual([]);
  });

  test('a duplicate is counted and leaves nothing; the same message id of another source is none', async () => {
    const resolver = memoryPartition(newResolver(), 0);
    const first = inputOf(event('m', 5, [user]));
    expect((await resolver.run([first, first])).outcomes).toEqual({ stitched: 1, duplicate: 1 });
    const again = await resolver.run([inputOf(event('m', 4, [user, laptop]))]);
    expect([again.outcomes, again.emitted]).toEqual([{ duplicate: 1 }, []]);
    expect((await resolver.run([inputOf(event('m', 5, [user], { source: 'app' }))])).outcomes).toEqual({ stitched: 1 });
  });
});

describe('claims', () => {
  const brief = (claims: readonly IdentityClaim[]) =>
    claims.map(({ kind, identifiers, received_at: at }) => [kind, identifiers.map(({ value }) => value).sort(), at]);

  test('an identifier and a pair are claimed when first seen, and again only when seen earlier', async () => {
    const resolver = memoryPartition(newResolver(), 3);
    const see = async (id: string, at: number) =>
      brief(claimsOf(await resolver.run([inputOf(event(id, at, [user, laptop]))])));
    const all = (at: number) => [
      ['observed', ['u'], at],
      ['observed', ['laptop', 'u'], at],
      ['observed', ['laptop'], at],
    ];
    expect(await see('m1', 10)).toEqual(all(10));
    expect(await see('m2', 10)).toEqual([]);
    expect(await see('m3', 11)).toEqual([]);
    expect(await see('m4', 9)).toEqual(all(9));
    expect(await see('m5', 9)).toEqual([]);
  });

  test('of a claim id the last record has the earliest times', async () => {
    await fc.assert(
      fc.asyncProperty(events, batchSizes, async (log, sizes) => {
        const resolver = memoryPartition(newResolver(), 0);
        const times = new Map<string, readonly [number, number]>();
        for (const batch of inBatches(log, sizes)) {
          for (const { claim_id: id, received_at, occurred_at } of claimsOf(
            await resolver.run(batch.map((value) => inputOf(value))),
          )) {
            const before = times.get(id) ?? [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
            const now = [received_at, occurred_at ?? Number.NaN] as const;
            expect(now[0]).toBeLessThanOrEqual(before[0]);
            expect(now[1]).toBeLessThanOrEqual(before[1]);
            expect(now).not.toEqual(before);
            times.set(id, now);
          }
        }
        const received = log.map((one) => one.received_at);
        const occurred = log.map((one) => Math.min(one.timestamp, one.received_at));
        expect(Math.min(...[...times.values()].map(([at]) => at))).toBe(Math.min(...received));
        expect(Math.min(...[...times.values()].map(([, at]) => at))).toBe(Math.min(...occurred));
      }),
    );
  });

  test('ten identifiers make 55 claims, and more make no more', async () => {
    const many = Array.from({ length: 12 }, (_, n) => identifier('email', `${n}`));
    const run = await memoryPartition(newResolver(), 0).run([inputOf(event('m', 1, many))]);
    expect(claimsOf(run)).toHaveLength(55);
  });

  test('an alias event claims that its previous and its user id are one', async () => {
    const previous = identifier('anonymous_id', 'before');
    const payload = JSON.stringify({ type: 'alias', userId: 'u', previousId: ' before ' });
    const run = await memoryPartition(newResolver(), 0).run([
      inputOf(event('m', 1, [user, laptop, previous], { type: 'alias', payload })),
    ]);
    const aliases = claimsOf(run).filter(({ kind }) => kind === 'alias');
    expect(brief(aliases)).toEqual([['alias', ['before', 'u'], 1]]);
  });

  test('an alias whose ids were not usable claims none', async () => {
    const payload = JSON.stringify({ type: 'alias', userId: 'u', previousId: 'gone' });
    const run = await memoryPartition(newResolver(), 0).run([
      inputOf(event('m', 1, [user], { type: 'alias', payload })),
    ]);
    expect(claimsOf(run).map(({ kind }) => kind)).toEqual(['observed']);
  });
});

describe('whatever happens between batches', () => {
  test('a restart, an aborted batch and a steady run put out the same', async () => {
    await fc.assert(
      fc.asyncProperty(events, orderSeeds, batchSizes, async (log, seeds, sizes) => {
        const steadyTask = newResolver();
        const abortingTask = newResolver();
        const steady = memoryPartition(steadyTask, 0);
        let offset = 0;
        for (const batch of inBatches(shuffled([...log, ...log.slice(0, 5)], seeds), sizes)) {
          const inputs = batch.map((value) => inputOf(value, offset++));
          // Lost before its commit: the task's instance has seen it, its stores have not.
          const aborted = restored(steady, memoryPartition(abortingTask, 0), stores);
          await aborted.run(inputs);
          const retried = await restored(steady, memoryPartition(abortingTask, 0), stores).run(inputs);
          const restarted = await restored(steady, memoryPartition(newResolver(), 0), stores).run(inputs);
          const { emitted, outcomes } = await steady.run(inputs);
          expect([retried.emitted, retried.outcomes]).toEqual([emitted, outcomes]);
          expect([restarted.emitted, restarted.outcomes]).toEqual([emitted, outcomes]);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('batches do not matter', async () => {
    await fc.assert(
      fc.asyncProperty(events, batchSizes, batchSizes, async (log, sizes, otherSizes) => {
        const run = async (of: readonly number[]) => {
          const resolver = memoryPartition(newResolver(), 0);
          const emitted = [];
          for (const batch of inBatches([...log, ...log.slice(0, 7)], of)) {
            emitted.push(...(await resolver.run(batch.map((value) => inputOf(value)))).emitted);
          }
          return emitted;
        };
        expect(await run(otherSizes)).toEqual(await run(sizes));
      }),
      { numRuns: 100 },
    );
  });
});
