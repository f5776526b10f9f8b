import { describe, expect, it } from 'vitest';
import type { EventStitched, IdentityChange, Move, Profile, Tributary } from '#schemas/generated/records.ts';
import { type MemoryInput, type MemoryRun, memoryPartition } from '#shared/task/memory.ts';
import { baseEvent, identifier } from './core/arbitrary.fixture.ts';
import { limits } from './core/limits.ts';
import { createProjector } from './projector.ts';

const projector = createProjector({ generation: 1 });

const event = (n: number, fields: Partial<EventStitched> = {}): MemoryInput => {
  const value = { ...baseEvent, profile_id: `p${n}`, identifiers: [identifier(n)], ...fields };
  return { input: 'event', key: value.profile_id, value };
};
const change = (n: number, fields: Partial<IdentityChange>): MemoryInput => {
  const value: IdentityChange = {
    kind: 'moved',
    profile_id: `p${n}`,
    identifier: identifier(n),
    to_profile_id: null,
    version: 0,
    other: null,
    reason: 'linked',
    claim_ids: [],
    decided_at: 2_000,
    definitions: [],
    generation: 1,
    ...fields,
  };
  return { input: 'change', key: value.profile_id, value };
};
const feed = (run: MemoryRun): (Profile | null)[] =>
  run.emitted.filter(({ output }) => output === 'profile').map(({ value }) => value as Profile | null);
const moves = (run: MemoryRun): Move[] =>
  run.emitted.filter(({ output }) => output === 'move').map(({ value }) => value as Move);
const delivered = (run: MemoryRun): MemoryInput[] =>
  moves(run).map((value) => ({ input: 'move', key: value.profile_id, value }));

describe('versions', () => {
  it('one for a batch, with its causes and what changed', async () => {
    const partition = memoryPartition(projector, 0);
    const run = await partition.run([event(0, { message_id: 'b' }), event(0, { message_id: 'a', timestamp: 600 })]);
    expect(feed(run)).toMatchObject([
      { profile_id: 'p0', version: 1, events: 2, causes: ['a', 'b'], why: ['event'], updated_at: 1_000, generation: 1 },
    ]);
    const next = await partition.run([event(0, { message_id: 'c', received_at: 3_000 })]);
    expect(feed(next)).toMatchObject([
      { version: 2, events: 3, causes: ['c'], changed: ['event_counts', 'events'], updated_at: 3_000 },
    ]);
    expect(run.outcomes).toEqual({ folded: 2 });
  });

  it('none for an identifier of which no event is known, nor when it is discovered after its event', async () => {
    const partition = memoryPartition(projector, 0);
    expect(feed(await partition.run([change(1, { kind: 'discovered' })]))).toEqual([]);
    await partition.run([event(0)]);
    const [stored] = partition.entries('tributary') as [string, Tributary][];
    expect(feed(await partition.run([change(0, { kind: 'discovered', decided_at: 1_000 })]))).toEqual([]);
    expect(partition.entries('tributary')[0]?.[1], 'nothing is written again').toBe(stored?.[1]);
  });

  it('at most 20 causes, the smallest', async () => {
    const ids = Array.from({ length: 30 }, (_, n) => `m${n + 10}`);
    const run = await memoryPartition(projector, 0).run(ids.map((message_id) => event(0, { message_id })).reverse());
    expect(feed(run)[0]?.causes).toEqual(ids.slice(0, limits.causes));
  });

  it('a refused link changes nothing', async () => {
    const run = await memoryPartition(projector, 0).run([change(0, { kind: 'refused' })]);
    expect(run).toMatchObject({ emitted: [], outcomes: { noted: 1 } });
  });
});

describe('a profile in quarantine', () => {
  const quarantined = (n = 0) => change(n, { kind: 'quarantined', reason: 'too_large', decided_at: 4_000 });
  const released = (n = 0) => change(n, { kind: 'released', reason: 'too_large', decided_at: 6_000 });

  it('says so in its flags, in a version of its own, until it is released', async () => {
    const partition = memoryPartition(projector, 0);
    await partition.run([event(0, { message_id: 'a' })]);
    const guarded = await partition.run([quarantined()]);
    expect(guarded.outcomes).toEqual({ noted: 1 });
    expect(feed(guarded)).toMatchObject([
      { version: 2, flags: ['quarantined'], changed: ['flags'], why: ['regroup'], causes: [], updated_at: 4_000 },
    ]);
    expect(feed(await partition.run([quarantined()])), 'told again').toEqual([]);
    expect(feed(await partition.run([event(0, { message_id: 'b' })]))).toMatchObject([
      { version: 3, flags: ['quarantined'], events: 2, why: ['event'] },
    ]);
    expect(feed(await partition.run([released(), quarantined(), released()]))).toMatchObject([
      { version: 4, flags: [], changed: ['flags'], why: ['regroup'], updated_at: 6_000 },
    ]);
    expect(feed(await partition.run([quarantined(), released()])), 'over within a batch').toEqual([]);
  });

  it('is so from its first version, where that is known before its events', async () => {
    const partition = memoryPartition(projector, 0);
    expect(feed(await partition.run([quarantined(), quarantined(1)]))).toEqual([]);
    expect(feed(await partition.run([event(0)]))).toMatchObject([{ version: 1, flags: ['quarantined'] }]);
    await partition.run([released(1)]);
    expect(
      partition.entries('profile').map(([key]) => key),
      'nothing stays of one that never was',
    ).toEqual(['p0']);
  });

  it('is not when it is gone, and is again when it returns before it is released', async () => {
    const partition = memoryPartition(projector, 0);
    await partition.run([event(0), quarantined()]);
    const left = await partition.run([change(0, { to_profile_id: 'p9', version: 5 })]);
    expect(feed(left)).toMatchObject([{ version: 2, gone: true, flags: [] }, null]);
    expect(feed(await partition.run(delivered(left)))).toMatchObject([{ profile_id: 'p9', flags: [] }]);
    const back = await partition.run([change(0, { profile_id: 'p9', to_profile_id: 'p0', version: 8 })]);
    expect(feed(await partition.run(delivered(back)))).toMatchObject([{ version: 3, flags: ['quarantined'] }]);
    expect(feed(await partition.run([released()]))).toMatchObject([{ version: 4, flags: [] }]);
  });
});

describe('a profile that is left by all', () => {
  it('ends with a last value that names its successor and a tombstone, and counts on when it returns', async () => {
    const partition = memoryPartition(projector, 0);
    await partition.run([event(0, { timestamp: 7 })]);
    const left = await partition.run([change(0, { to_profile_id: 'p9', version: 5 })]);
    expect(left.emitted.map(({ output, key }) => [output, key])).toEqual([
      ['move', 'p9'],
      ['profile', 'p0'],
      ['profile', 'p0'],
    ]);
    expect(feed(left)).toMatchObject([
      { version: 2, gone: true, into: 'p9', events: 0, identifiers: [], why: ['regroup'], updated_at: 2_000 },
      null,
    ]);
    expect(feed(left)[0]?.changed).toContain('gone');
    expect(partition.entries('tributary')).toEqual([]);

    const joined = await partition.run(delivered(left));
    expect(feed(joined)).toMatchObject([{ profile_id: 'p9', version: 1, events: 1, why: ['regroup'], first_seen: 7 }]);

    const back = await partition.run([change(0, { profile_id: 'p9', to_profile_id: 'p0', version: 8 })]);
    const returned = feed(await partition.run(delivered(back)));
    expect(returned).toMatchObject([{ profile_id: 'p0', version: 3, gone: false, into: null, events: 1 }]);
    expect(returned[0]?.changed).toEqual(expect.arrayContaining(['events', 'gone', 'into']));
  });

  it('is gone though an identifier without events stays', async () => {
    const partition = memoryPartition(projector, 0);
    await partition.run([event(0), change(1, { kind: 'discovered', profile_id: 'p0' })]);
    const run = await partition.run([change(0, { to_profile_id: 'p9', version: 5 })]);
    expect(feed(run)).toMatchObject([{ gone: true, into: 'p9' }, null]);
  });

  it('was never there if it lived within one batch only', async () => {
    const partition = memoryPartition(projector, 0);
    const run = await partition.run([event(0, { message_id: 'a' }), change(0, { to_profile_id: 'p9', version: 5 })]);
    expect(feed(run)).toEqual([]);
    expect(moves(run)).toMatchObject([{ profile_id: 'p9', version: 5, causes: ['a'], tributary: { events: 1 } }]);
    expect(partition.entries('profile')).toEqual([]);
    expect(feed(await partition.run(delivered(run)))).toMatchObject([{ profile_id: 'p9', causes: ['a'] }]);
  });
});

describe('what comes too late', () => {
  it('is passed on once for a batch, to the newest place known, as what an event caused', async () => {
    const partition = memoryPartition(projector, 0);
    await partition.run([change(0, { to_profile_id: 'p9', version: 5 })]);
    const late = await partition.run([event(0, { message_id: 'b' }), event(0, { message_id: 'a' })]);
    expect(late.outcomes).toEqual({ passed_on: 2 });
    expect(moves(late)).toMatchObject([{ profile_id: 'p9', version: 5, causes: ['a', 'b'], tributary: { events: 2 } }]);
    expect(feed(await partition.run(delivered(late)))).toMatchObject([{ causes: ['a', 'b'], why: ['event'] }]);
  });
});

describe('what has come back', () => {
  it('stays, though a stale change says that it left', async () => {
    const partition = memoryPartition(projector, 0);
    await partition.run([event(0, { mapping_version: 8 })]);
    const run = await partition.run([change(0, { to_profile_id: 'p9', version: 5 })]);
    expect(run).toMatchObject({ emitted: [], outcomes: { noted: 1 } });
  });
});

describe('currency', () => {
  const order = (currency: string) =>
    event(0, { currency, event: 'Order Completed', payload: '{"properties":{"revenue":1}}' });

  it('is the one that the event was stamped with, whatever is defined when it is folded', async () => {
    const run = await memoryPartition(projector, 0).run([order('CHF')]);
    expect(feed(run)).toMatchObject([{ revenue: [{ currency: 'CHF', amount: '1' }] }]);
  });
});

describe('what cannot be folded', () => {
  it('is rejected with its reason', async () => {
    const run = await memoryPartition(projector, 0).run([
      event(0, { identifiers: [] }),
      { input: 'event', key: 'p0', value: null },
      event(0),
    ]);
    expect(run.rejected.map(({ reason }) => reason)).toEqual(['no_identifier', 'empty']);
    expect(run.outcomes).toEqual({ folded: 1, rejected: 2 });
  });
});
