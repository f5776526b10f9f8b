import { describe, expect, it } from 'vitest';
import type {
  EventStitched,
  IdentityChange,
  Move,
  Ownership,
  Profile,
  ProfileExpiry,
  Tributary,
} from '#schemas/generated/records.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
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

describe('an anonymous profile', () => {
  const HOUR = 3_600_000;
  const DAY = 24 * HOUR;
  const LIMIT = 10 * DAY;
  const START = 100 * DAY;
  const homeOf = (hash: string): string => `p${Number.parseInt(hash, 16)}`;
  const expiring = (ms = LIMIT) => createProjector({ generation: 1, retention: { ms, homeOf } });
  const partitionOf = (ms?: number) => memoryPartition(expiring(ms), 0);
  const none = new Definitions();
  const COOKIE = 1;
  const OTHER_COOKIE = 4;
  const USER = 0;
  const { hash } = identifier(COOKIE);
  const at = (received_at: number, fields: Partial<EventStitched> = {}, n = COOKIE): MemoryInput =>
    event(n, { received_at, ...fields });
  const expiries = (run: MemoryRun): ProfileExpiry[] =>
    run.emitted.filter(({ output }) => output === 'expiry').map(({ value }) => value as ProfileExpiry);
  const told = (until: number, n = COOKIE): MemoryInput => {
    const { type: identifier_type, hash: of } = identifier(n);
    const value: ProfileExpiry = { identifier_type, hash: of, profile_id: 'p8', until, decided_at: 0, generation: 2 };
    return { input: 'expiry', key: homeOf(of), value };
  };
  const timers = (partition: ReturnType<typeof memoryPartition>) => partition.entries('timer').map(([key]) => key);
  const timerAt = (time: number, n = COOKIE) => `${String(time).padStart(15, '0')}/p${n}`;

  it('expires when nothing was received for so long: a last value, a tombstone, and what of it is forgotten', async () => {
    const partition = partitionOf();
    await partition.run([at(START), at(START + DAY, { message_id: 'm2' })], none, { now: START + DAY });
    const now = START + DAY + LIMIT;
    const early = await partition.run([], none, { now: now - 1 });
    expect(early).toMatchObject({ emitted: [], wakesAt: now });
    const run = await partition.run([], none, { now });
    const gone = {
      version: 2,
      gone: true,
      into: null,
      why: ['retention'],
      events: 0,
      identifiers: [],
      updated_at: now,
    };
    expect(feed(run)).toMatchObject([gone, null]);
    const until = START + DAY;
    expect(run.emitted.filter(({ output }) => output === 'expiry')).toEqual([
      {
        output: 'expiry',
        key: homeOf(hash),
        value: { identifier_type: 'anonymous_id', hash, profile_id: 'p1', until, decided_at: now, generation: 1 },
        timestamp: now,
      },
    ]);
    expect(JSON.stringify(expiries(run))).not.toContain(identifier(COOKIE).value);
    expect(run.counts).toEqual({ expired_profiles: 1, forgotten_events: 2 });
    for (const store of ['tributary', 'timer', 'cells']) expect(partition.entries(store), store).toEqual([]);
    expect(partition.entries('ownership')).toEqual([[hash, { profile_id: 'p1', version: 0, forgotten: until }]]);
    expect(JSON.stringify(partition.entries('profile'))).not.toContain(hash);
  });

  it('stays gone whatever comes late or once more, and begins anew with its next version', async () => {
    const partition = partitionOf();
    await partition.run([at(START)], none, { now: START });
    const now = START + LIMIT + HOUR;
    await partition.run([], none, { now });
    const late = await partition.run(
      [at(START), at(now - LIMIT), change(COOKIE, { kind: 'discovered', decided_at: START })],
      none,
      { now },
    );
    expect(late).toMatchObject({ emitted: [], outcomes: { expired: 3 } });
    const back = await partition.run([at(now - LIMIT + 1)], none, { now });
    expect(feed(back)).toMatchObject([
      { version: 3, gone: false, events: 1, changed: expect.arrayContaining(['gone']) },
    ]);
  });

  it('has one timer, which events do not move: when it goes, they are looked at', async () => {
    const partition = partitionOf();
    await partition.run([at(START)], none, { now: START });
    await partition.run([at(START + DAY)], none, { now: START + DAY });
    await partition.run([at(START + 2 * DAY)], none, { now: START + 2 * DAY });
    expect(timers(partition)).toEqual([timerAt(START + LIMIT)]);
    expect((await partition.run([], none, { now: START + LIMIT })).emitted).toEqual([]);
    expect(timers(partition)).toEqual([timerAt(START + 2 * DAY + LIMIT)]);
  });

  it('does not expire before all is read that has come', async () => {
    const partition = partitionOf();
    await partition.run([at(START)], none, { now: START });
    const now = START + LIMIT;
    expect((await partition.run([], none, { now, isCaughtUp: false })).emitted).toEqual([]);
    expect(feed(await partition.run([at(now)], none, { now }))).toMatchObject([{ version: 2, events: 2 }]);
  });

  it('is none that has a user id, also one that comes in the last moment, nor an account', async () => {
    const partition = partitionOf();
    const account = event(OTHER_COOKIE, { kind: 'account', received_at: START });
    await partition.run([at(START, {}, USER), account, at(START)], none, { now: START });
    expect(timers(partition)).toEqual([timerAt(START + LIMIT)]);
    const now = START + LIMIT;
    const left = await partition.run([change(USER, { to_profile_id: 'p1', version: 5 })], none, { now: now - 1 });
    expect(feed(await partition.run(delivered(left), none, { now }))).toMatchObject([{ profile_id: 'p1', events: 2 }]);
    expect((await partition.run([], none, { now: now + 100 * DAY })).emitted).toEqual([]);
    expect(timers(partition)).toEqual([]);
  });

  it('is kept for a day when what identified it has just left', async () => {
    const partition = partitionOf();
    const user = at(START, { profile_id: 'p1', mapping_version: 3 }, USER);
    await partition.run([at(START), user], none, { now: START });
    expect(timers(partition)).toEqual([]);
    const now = START + 2 * LIMIT;
    await partition.run([change(USER, { profile_id: 'p1', to_profile_id: 'p9', version: 5 })], none, { now });
    expect((await partition.run([], none, { now: now + HOUR })).emitted).toEqual([]);
    expect(feed(await partition.run([], none, { now: now + DAY }))).toMatchObject([{ gone: true }, null]);
  });

  it('does not expire while it is known to be about to join another', async () => {
    const partition = partitionOf();
    await partition.run([at(START)], none, { now: START });
    const now = START + LIMIT;
    // On its new place, which this partition has too, an event has come before the change.
    await partition.run([at(now - 1, { profile_id: 'p9', mapping_version: 5 })], none, { now: now - 1 });
    expect((await partition.run([], none, { now })).emitted).toEqual([]);
    const left = await partition.run([change(COOKIE, { to_profile_id: 'p9', version: 5 })], none, { now: now + 1 });
    expect(feed(await partition.run(delivered(left), none, { now: now + 2 }))).toMatchObject([{ events: 2 }]);
  });

  it('takes all its identifiers along, wherever they are at home by default', async () => {
    const partition = partitionOf();
    const other = at(START, { profile_id: 'p1', mapping_version: 3 }, OTHER_COOKIE);
    await partition.run([at(START), other], none, { now: START });
    const run = await partition.run([], none, { now: START + LIMIT });
    expect(run.emitted.filter(({ output }) => output === 'expiry').map(({ key }) => key)).toEqual(['p1', 'p4']);
    expect(run.counts).toEqual({ expired_profiles: 1, forgotten_events: 2 });
  });

  describe('that another generation says has expired', () => {
    it('is forgotten, once, but for what was received later', async () => {
      const partition = partitionOf();
      await partition.run([at(START), at(START + DAY, {}, OTHER_COOKIE)], none, { now: START });
      const run = await partition.run([told(START), told(START, OTHER_COOKIE)], none, { now: START + DAY });
      expect(feed(run)).toMatchObject([{ profile_id: 'p1', gone: true, why: ['retention'] }, null]);
      expect(run).toMatchObject({ outcomes: { noted: 2 }, counts: { expired_profiles: 1, forgotten_events: 1 } });
      expect((await partition.run([told(START), told(START - 1)], none, { now: START + DAY })).emitted).toEqual([]);
      const late = await partition.run([at(START), at(START, {}, OTHER_COOKIE)], none, { now: START + DAY });
      expect(late.outcomes).toEqual({ expired: 2 });
    });

    it('is forgotten where it is at home by now, and where it goes', async () => {
      const [home, away] = [partitionOf(), partitionOf()];
      await away.run([at(START, { profile_id: 'p9', mapping_version: 5 })], none, { now: START });
      await home.run([change(COOKIE, { to_profile_id: 'p9', version: 5 })], none, { now: START });
      const news = await home.run([told(START)], none, { now: START });
      expect(moves(news)).toMatchObject([{ profile_id: 'p9', version: 5, forgotten: START, tributary: { events: 0 } }]);
      expect(JSON.stringify(moves(news))).not.toContain(identifier(COOKIE).value);
      expect(feed(await away.run(delivered(news), none, { now: START }))).toMatchObject([{ gone: true }, null]);
      const left = { profile_id: 'p9', to_profile_id: 'p7', version: 8 };
      const further = await away.run([change(COOKIE, left)], none, { now: START });
      expect(moves(further)).toMatchObject([{ profile_id: 'p7', version: 8, forgotten: START }]);
      const there = partitionOf();
      await there.run(delivered(further), none, { now: START });
      expect(there.entries('ownership').map(([, value]) => (value as Ownership).forgotten)).toEqual([START]);
    });
  });

  it('is what the identity rules say, also of what has long been silent', async () => {
    let task = createProjector({ generation: 1 });
    const process: typeof task.process = (...all) => task.process(...all);
    const partition = memoryPartition({ ...task, process }, 0);
    await partition.run([at(START, {}, USER), at(START)], none, { now: START });
    expect(timers(partition)).toEqual([]);

    // From now on they expire; and then user ids are anonymous, and cookies are not.
    task = expiring();
    const now = START + 2 * LIMIT;
    await partition.run([], none, { now });
    await partition.run([], none, { now });
    expect(timers(partition)).toEqual([timerAt(now + DAY)]);
    const body = definitionKinds.identity_rules.parse({
      types: [
        { type: 'user_id', identifies: false },
        { type: 'anonymous_id', identifies: true },
      ],
    });
    const others = none.with({ kind: 'identity_rules', name: 'default', version: 2, body });
    await partition.run([], others, { now });
    await partition.run([], others, { now });
    expect(timers(partition)).toEqual([timerAt(now + DAY, USER)]);
    expect(feed(await partition.run([], others, { now: now + DAY }))).toMatchObject([
      { profile_id: 'p0', gone: true },
      null,
    ]);
  });

  it('moves in pieces of which each is forgotten, or none', async () => {
    const partition = partitionOf();
    const text = 'x'.repeat(100_000);
    const cell = { from: 0, count: 1, micros: null, sighting: null, texts: [{ text, count: 1 }] };
    const cells = ['a', 'b'].map((trait) => ({ trait, version: 1, part: 0, aggregate: 'mostFrequent', cells: [cell] }));
    const value = {
      profile_id: 'p1',
      version: 0,
      identifier: identifier(COOKIE),
      received_at: START,
      cells,
      complete: [],
    };
    await partition.run([at(START), { input: 'fill', key: 'p1', value: { ...value, generation: 1 } }], none, {
      now: START,
    });
    const left = await partition.run([change(COOKIE, { to_profile_id: 'p9', version: 5 })], none, { now: START });
    expect(moves(left)).toHaveLength(2);
    const there = partitionOf();
    await there.run([told(START)], none, { now: START });
    const run = await there.run(delivered(left), none, { now: START });
    expect(run).toMatchObject({ outcomes: { expired: 2 }, counts: { forgotten_events: 1 } });
    expect((await partitionOf().run(delivered(left), none, { now: START })).outcomes).toEqual({ folded: 2 });
  });
});
