import { describe, expect, test } from 'vitest';
import { type Balance, balanceOf, CLICKHOUSE, type Counts, type ReadingState } from './balance.ts';

type Row = Counts['accounting'][number];
const row = (task: string, topic: string, outcomes: Row['outcomes'], changes: Partial<Row> = {}): Row => ({
  service: 'any',
  task,
  topic: topic && `t.${topic}`,
  partition: 0,
  taken: Object.values(outcomes).reduce((all, one) => all + one, 0),
  outcomes,
  outputs: {},
  generation: 1,
  ...changes,
});

/** An installation at rest: 13 accepted on two partitions, 8 stitched, 4 delivered to `hook`, 2 profiles to `crm`. */
const rest: Counts = {
  prefix: 't.',
  generation: 1,
  accepted: 13,
  accounting: [
    row('resolver', 'events.collected', { stitched: 5, duplicate: 3, rejected: 1 }),
    row('resolver', 'events.collected', { stitched: 3, dropped: 1 }, { partition: 1 }),
    row('resolver', 'identity.mappings', { learned: 2 }),
    row('resolver', '', {}, { outputs: { stitched: 8, claim: 6 } }),
    row('linker', 'identity.claims', { applied: 6 }),
    row('linker', '', {}, { outputs: { mapping: 2, change: 5 } }),
    row('projector', 'events.stitched', { folded: 6, passed_on: 1, rejected: 1 }),
    row('projector', 'identity.changes', { folded: 3, moved: 2 }),
    row('projector', 'internal.g1.moves', { folded: 3 }),
    row('projector', '', {}, { outputs: { move: 3, profile: 9 } }),
    row('planner', 'events.stitched', { planned: 5, held: 1, filtered: 2 }),
    row('planner', 'identity.changes', { quarantined: 1, noted: 4 }),
    row('planner', '', { quarantine: 1, held: 1 }, { taken: 0, outputs: { hook: 5 } }),
    row('planner', '', { quarantine: 0, held: 0 }, { taken: 0, partition: 1, outputs: { hook: 1 } }),
    row('sender-hook', 'delivery.hook', { delivered: 4, suppressed: 1, dead: 1 }),
    row('webhook-crm', 'profiles', { delivered: 2, superseded: 3, filtered: 1 }),
    row('resolver', 'events.collected', { stitched: 99 }, { generation: 2 }),
  ],
  rejectedRecords: [
    { stage: 'collector', reason: 'invalid_event', count: 7 },
    { stage: 'identity-stitcher', reason: 'misrouted', count: 1 },
    { stage: 'profile-projector', reason: 'no_identifier', count: 1 },
  ],
  clickhouse: {
    collected: 13,
    events: 8,
    profileEvents: 7,
    rejected: [
      { stage: 'identity-stitcher', reason: 'misrouted', count: 1 },
      { stage: 'profile-projector', reason: 'no_identifier', count: 1 },
      { stage: 'collector', reason: 'invalid_event', count: 7 },
    ],
    deliveries: { delivered: 6, suppressed: 1, dead: 1 },
  },
};

const without = (task: string, topic: string, next: Row): Counts => ({
  ...rest,
  accounting: [...rest.accounting.filter((one) => one.task !== task || one.topic !== (topic && `t.${topic}`)), next],
});

describe('balanceOf', () => {
  test('adds up what is at rest, generation by generation', () => {
    expect(balanceOf(rest)).toEqual({
      accepted: 13,
      stitched: 8,
      duplicates: 3,
      rejected: rest.clickhouse.rejected,
      dropped: 1,
      folded: 7,
      forgotten: 0,
      planned: 6,
      delivered: 6,
      suppressed: 1,
      dead: 1,
      held: 1,
      quarantined: 1,
      differences: [],
      expired: [],
      short: [],
    });
  });

  test('what expired with its profile was folded, and is in none', () => {
    const expiring = without('projector', '', row('projector', '', { forgotten_events: 2 }, { outputs: { move: 3 } }));
    const said = (profileEvents: number): Pick<Balance, 'folded' | 'forgotten' | 'differences'> =>
      balanceOf({ ...expiring, clickhouse: { ...rest.clickhouse, profileEvents } });
    expect(said(5)).toMatchObject({ folded: 7, forgotten: 2, differences: [] });
    expect(said(6).differences).toEqual(['folded and not expired: 5, events of all profiles in ClickHouse: 6']);
  });

  test('once another generation has spoken to all, what it put out counts with the rest, and profiles are its own', () => {
    const learned = without('resolver', 'identity.mappings', row('resolver', 'identity.mappings', { learned: 9 }));
    const profiles = { ...learned, clickhouse: { ...rest.clickhouse, profileEvents: 5 } };
    expect(balanceOf(profiles).differences).toHaveLength(2);
    const another = [
      row('linker', '', {}, { generation: 2, outputs: { mapping: 7, ownMapping: 4 } }),
      row('projector', 'events.stitched', { folded: 2 }, { generation: 2 }),
      row('projector', '', { filled_events: 4, forgotten_events: 1 }, { taken: 0, generation: 2 }),
    ];
    const switched = { ...profiles, live: 2, accounting: [...profiles.accounting, ...another] };
    expect(balanceOf(switched)).toMatchObject({ folded: 6, forgotten: 1, differences: [] });
    expect(balanceOf({ ...switched, live: 1 }).differences).toEqual([
      'folded: 7, events of all profiles in ClickHouse: 5',
    ]);
  });

  test('an installation without a single event balances', () => {
    const nothing = { collected: 0, events: 0, profileEvents: 0, rejected: [], deliveries: {} };
    expect(
      balanceOf({ prefix: 't.', generation: 1, accepted: 0, accounting: [], clickhouse: nothing }).differences,
    ).toEqual([]);
  });

  test.each<[string, Counts, string[]]>([
    [
      'an event that nobody has taken in',
      { ...rest, accepted: 14, clickhouse: { ...rest.clickhouse, collected: 14 } },
      ['accepted: 14, taken by resolver: 13'],
    ],
    [
      'an event that ClickHouse lacks',
      { ...rest, clickhouse: { ...rest.clickhouse, events: 7 } },
      ['stitched: 8, events in ClickHouse: 7'],
    ],
    [
      'an event that ClickHouse has twice',
      { ...rest, clickhouse: { ...rest.clickhouse, collected: 14 } },
      ['accepted: 13, in ClickHouse: 14'],
    ],
    [
      'an input without an outcome',
      without('linker', 'identity.claims', row('linker', 'identity.claims', { applied: 5 }, { taken: 6 })),
      ['taken by linker from t.identity.claims/0: 6, their outcomes: 5'],
    ],
    [
      'a move on its way',
      without('projector', '', row('projector', '', {}, { outputs: { move: 4 } })),
      ['move put out by projector: 4, taken by projector: 3'],
    ],
    [
      'a decision that something has expired on its way',
      without('projector', '', row('projector', '', {}, { outputs: { move: 3, expiry: 2 } })),
      ['expiry put out by projector: 2, taken by projector: 0'],
    ],
    [
      'a change that the planner has not seen',
      without('planner', 'identity.changes', row('planner', 'identity.changes', { noted: 4 })),
      ['change put out by linker: 5, taken by planner: 4'],
    ],
    [
      'a delivery on its way',
      without('planner', '', row('planner', '', {}, { outputs: { hook: 7 } })),
      ['planned for hook: 7, taken by its sender: 6'],
    ],
    [
      'a delivery that is in no ledger',
      { ...rest, clickhouse: { ...rest.clickhouse, deliveries: { delivered: 3, suppressed: 1, dead: 1 } } },
      ['delivered: 6, in ClickHouse: 3'],
    ],
    [
      'a rejection for another reason than the one recorded',
      {
        ...rest,
        clickhouse: {
          ...rest.clickhouse,
          rejected: rest.clickhouse.rejected.map((one) =>
            one.reason === 'misrouted' ? { ...one, reason: 'other' } : one,
          ),
        },
      },
      ['rejected by identity-stitcher for misrouted: 1, in ClickHouse: 0'],
    ],
    [
      'a rejection that is in no topic',
      { ...rest, rejectedRecords: rest.rejectedRecords?.slice(0, 2) },
      ['rejected in Kafka: 8, in ClickHouse: 9', 'rejected in Kafka: 1, by tasks: 2'],
    ],
    [
      'an event that is in no profile',
      { ...rest, clickhouse: { ...rest.clickhouse, profileEvents: 6 } },
      ['folded: 7, events of all profiles in ClickHouse: 6'],
    ],
  ])('tells of %s', (_, counts, differences) => {
    expect(balanceOf(counts).differences).toEqual(differences);
  });
});

describe('what retention or compaction took away', () => {
  const linker = (state: Partial<ReadingState>): Counts => ({
    ...without('linker', 'identity.claims', row('linker', 'identity.claims', { applied: 5 })),
    readings: [{ reader: 'linker', topic: 'identity.claims', isIncomplete: true, isBehind: false, ...state }],
  });
  const text = 'claim put out by resolver: 6, taken by linker: 5';

  test('is no difference to a reader that has read all that is left', () => {
    expect(balanceOf(linker({}))).toMatchObject({ differences: [], expired: [text] });
  });

  test.each([
    ['has not read all that is left', { isBehind: true }],
    ['reads a log that still has everything', { isIncomplete: false }],
    ['is another one', { reader: 'resolver' }],
  ])('is one, where the reader %s', (_, state) => {
    expect(balanceOf(linker(state))).toMatchObject({
      differences: [text],
      expired: [],
      short: [{ reader: 'linker', topic: 'identity.claims' }],
    });
  });

  test('cannot be why more was read than was written', () => {
    const counts = {
      ...without('linker', 'identity.claims', row('linker', 'identity.claims', { applied: 7 })),
      readings: linker({}).readings as readonly ReadingState[],
    };
    expect(balanceOf(counts)).toMatchObject({
      differences: ['claim put out by resolver: 6, taken by linker: 7'],
      expired: [],
      short: [],
    });
  });

  test('explains a ClickHouse that is younger than the topics, and nothing else', () => {
    const clickhouse = { ...rest.clickhouse, collected: 3, events: 2, deliveries: { delivered: 1 } };
    const reading = { reader: CLICKHOUSE, isIncomplete: true, isBehind: false };
    const readings = ['events.collected', 'events.stitched'].map((topic) => ({ ...reading, topic }));
    expect(balanceOf({ ...rest, clickhouse, readings })).toMatchObject({
      expired: ['accepted: 13, in ClickHouse: 3', 'stitched: 8, events in ClickHouse: 2'],
      differences: ['delivered: 6, in ClickHouse: 1', 'suppressed: 1, in ClickHouse: 0', 'dead: 1, in ClickHouse: 0'],
    });
  });

  test('of rejections leaves fewer in Kafka, not more', () => {
    const haveRejectedExpired = true;
    expect(balanceOf({ ...rest, haveRejectedExpired, rejectedRecords: [] }).differences).toEqual([]);
    const rejectedRecords = [{ stage: 'identity-stitcher', reason: 'misrouted', count: 2 }];
    expect(balanceOf({ ...rest, haveRejectedExpired, rejectedRecords }).differences).toEqual([
      'rejected by identity-stitcher for misrouted: 2, in ClickHouse: 1',
    ]);
  });
});
