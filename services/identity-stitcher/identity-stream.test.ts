import { expect, test } from 'vitest';
import { type IdentityStreamEvent, identityStream } from '../../test/support/identity-stream.ts';
import { hashing } from './core/arbitrary.fixture.ts';
import { Simulation } from './simulation.ts';

const stream = identityStream(hashing).filter(({ event }) => event.identifiers.length > 0);

async function stitch(events: readonly IdentityStreamEvent[], partitions: number, batch: number): Promise<Simulation> {
  const simulation = new Simulation({ hashing, partitions });
  let n = 0;
  for (const { event } of events) {
    simulation.collect(event);
    if (++n % (batch * partitions) > 0) continue;
    for (let partition = 0; partition < partitions; partition++) await simulation.resolve(partition, batch, true);
    await simulation.link(batch);
  }
  await simulation.drain(batch);
  return simulation;
}

/**
 * How well clusters match the truth, over all pairs of items.
 * @param items cluster and true class of each item
 */
function pairwise(items: Iterable<readonly [cluster: string, truth: string]>): {
  readonly precision: number;
  readonly recall: number;
} {
  const both = new Map<string, number>();
  const clusters = new Map<string, number>();
  const truths = new Map<string, number>();
  const count = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const [cluster, truth] of items) {
    count(both, `${cluster}\0${truth}`);
    count(clusters, cluster);
    count(truths, truth);
  }
  const pairs = (counts: Map<string, number>): number =>
    [...counts.values()].reduce((sum, size) => sum + (size * (size - 1)) / 2, 0);
  return { precision: pairs(both) / pairs(clusters), recall: pairs(both) / pairs(truths) };
}

const routingOf = ({ event }: IdentityStreamEvent): string => event.identifiers[0]?.hash ?? '';

test('sixty days of three thousand people: the same profiles in another order, and mostly the right ones', async () => {
  const inOrder = await stitch(stream, 3, 500);
  const reversed = await stitch([...stream].reverse(), 4, 211);
  expect(inOrder.outcomes.stitched).toBe(stream.length);
  expect(reversed.outcomes.stitched).toBe(stream.length);
  for (const one of stream) expect(reversed.profileOf(routingOf(one))).toBe(inOrder.profileOf(routingOf(one)));
  const linked = pairwise(stream.map((one) => [inOrder.profileOf(routingOf(one)), one.person]));
  // Whoever browses a kiosk without logging in cannot be told apart: that bounds the precision of every method.
  const alone = pairwise(stream.map((one) => [routingOf(one), one.person]));
  expect(linked.precision).toBeGreaterThan(alone.precision);
  expect(linked.recall).toBeGreaterThan(alone.recall + 0.3);
}, 60_000);
