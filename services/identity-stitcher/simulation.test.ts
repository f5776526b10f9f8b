import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { IdentityClaim } from '#schemas/generated/records.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { events, hashing, orderSeeds, shuffled } from '#shared/identity/linking/arbitrary.fixture.ts';
import { resolveAll } from '#shared/identity/linking/one-shot.ts';
import { rulesIn } from '#shared/identity/linking/rules.ts';
import { Simulation } from './simulation.ts';

const definitions = new Definitions([
  {
    kind: 'identity_rules',
    name: 'default',
    version: 1,
    body: definitionKinds.identity_rules.parse({
      types: [
        { type: 'user_id', limit: 1 },
        { type: 'email', limit: 2 },
        { type: 'anonymous_id', limit: 4 },
        { type: 'device_id', limit: 2, links: 'weak' },
      ],
      sharedFrom: 4,
    }),
  },
]);
const caps = { shared: 6, kept: 9 };

/** What the scheduler does next. */
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('resolve'),
        at: fc.nat(),
        size: fc.integer({ min: 1, max: 9 }),
        mappingsFirst: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('link'),
        at: fc.nat(),
        size: fc.integer({ min: 1, max: 20 }),
        mappingsFirst: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constantFrom('restart resolver', 'restart linker'),
        at: fc.nat(),
        size: fc.constant(0),
        mappingsFirst: fc.boolean(),
      }),
    },
  ),
  { maxLength: 40, size: 'max' },
);

type Steps = typeof steps extends fc.Arbitrary<infer T> ? T : never;

async function run(
  log: Parameters<Simulation['collect']>[0][],
  partitions: number,
  schedule: Steps,
): Promise<Simulation> {
  const simulation = new Simulation({ hashing, partitions, definitions, caps });
  for (const event of log) simulation.collect(event);
  for (const step of schedule) {
    if (step.do === 'resolve') await simulation.resolve(step.at % partitions, step.size, step.mappingsFirst);
    else if (step.do === 'link') await simulation.link(step.size);
    else if (step.do === 'restart linker') simulation.restartLinker();
    else simulation.restartResolver(step.at % partitions);
  }
  await simulation.drain(7);
  return simulation;
}

/** Earliest received time by claim id: what compaction and the linker make of the topic. */
const earliest = (claims: readonly IdentityClaim[]): Map<string, number> => {
  const times = new Map<string, number>();
  for (const { claim_id: id, received_at: at } of claims) times.set(id, Math.min(at, times.get(id) ?? at));
  return times;
};

describe('any number of partitions, any schedule, any restarts', () => {
  test('each identifier ends at the profile that all claims at once give it', async () => {
    await fc.assert(
      fc.asyncProperty(
        events,
        orderSeeds,
        fc.integer({ min: 1, max: 4 }),
        steps,
        async (log, seeds, partitions, schedule) => {
          const simulation = await run(shuffled(log, seeds), partitions, schedule);
          for (const { anchor, members } of resolveAll(simulation.claims, rulesIn(definitions), caps)) {
            for (const { identifier } of members) {
              expect(simulation.profileOf(identifier.hash)).toBe(hashing.profileIdOf(anchor.identifier.hash));
            }
          }
          expect(simulation.outcomes.stitched ?? 0).toBe(log.length);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('and that is the same for every order of the events', async () => {
    await fc.assert(
      fc.asyncProperty(events, orderSeeds, steps, steps, async (log, seeds, schedule, otherSchedule) => {
        const one = await run(log, 3, schedule);
        const other = await run(shuffled(log, seeds), 3, otherSchedule);
        expect(earliest(other.claims)).toEqual(earliest(one.claims));
        const hashes = new Set(log.flatMap(({ identifiers }) => identifiers.map(({ hash }) => hash)));
        for (const hash of hashes) expect(other.profileOf(hash)).toBe(one.profileOf(hash));
        const content = (simulation: Simulation) =>
          simulation.stitched
            .map(({ profile_id: _, mapping_version: __, ...event }) => event)
            .sort((a, b) => (a.message_id < b.message_id ? -1 : 1));
        expect(content(other)).toEqual(content(one));
      }),
      { numRuns: 200 },
    );
  });
});
