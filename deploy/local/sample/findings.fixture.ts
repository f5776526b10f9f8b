import type { Accounting } from '#schemas/generated/records.ts';
import type { Findings } from './checks.ts';

const totals = (
  task: string,
  topic: string,
  outcomes: Record<string, number>,
  outputs: Record<string, number> = {},
): Accounting => ({
  service: 'any',
  task,
  topic: topic === '' ? '' : `t.${topic}`,
  partition: 0,
  next: 0,
  taken: Object.values(outcomes).reduce((a, b) => a + b, 0),
  outcomes,
  outputs,
  generation: 1,
});

/** A sample of ten events that went right: one bad, one sent twice, two orders, one of them told to the webhook. */
export const right: Findings = {
  expected: { sent: 10, distinct: 8, duplicates: 1, bad: 1, deliveries: 1, dollarCents: 1_177n, euroCents: 205n },
  acknowledged: 10,
  prefix: 't.',
  generation: 1,
  destination: 'hook',
  books: {
    collected: 9,
    rejected: new Map([['collector: no_identifier', 1]]),
    deliveries: new Map([['delivered', 1]]),
    accounting: [
      totals('resolver', 'events.collected', { stitched: 8, duplicate: 1 }),
      totals('resolver', 'identity.mappings', { learned: 2 }),
      totals('resolver', '', {}, { stitched: 8, claim: 4 }),
      totals('linker', 'identity.claims', { applied: 4 }),
      totals('linker', '', {}, { mapping: 2, change: 3 }),
      totals('projector', 'events.stitched', { folded: 8 }),
      totals('projector', 'identity.changes', { moved: 2, noted: 1 }),
      totals('projector', 'internal.g1.moves', { folded: 2 }),
      totals('projector', '', {}, { profile: 5, move: 2 }),
      totals('planner', 'events.stitched', { planned: 1, filtered: 7 }),
      totals('planner', 'identity.changes', { noted: 3 }),
      totals('planner', '', {}, { hook: 1 }),
      totals('sender-hook', 'delivery.hook', { delivered: 1 }),
    ],
  },
  warehouse: {
    collected: 9,
    duplicates: 1,
    events: 8,
    profiles: 3,
    refusedLinks: 1,
    rejected: new Map([['collector: no_identifier', 1]]),
    deliveries: new Map([['delivered', 1]]),
    profileRevenue: new Map([
      ['USD', '11.77'],
      ['EUR', '2.05'],
    ]),
    orderRevenue: new Map([
      ['USD', '11.77'],
      ['EUR', '2.050000'],
    ]),
  },
  profiles: 3,
  revenue: new Map([
    ['USD', 11_770_000n],
    ['EUR', 2_050_000n],
  ]),
  unevenVersions: 0,
  received: { keys: 1, requests: 2, refused: 0 },
};
