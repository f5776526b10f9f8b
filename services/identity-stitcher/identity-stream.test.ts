import { describe, expect, test } from 'vitest';
import { hashing } from '#shared/identity/linking/arbitrary.fixture.ts';
import { crowd, garbage, kiosk } from '../../test/support/crowd.ts';
import { type Delivery, delivered, deliveries } from '../../test/support/delivery.ts';
import { qualityOf } from '../../test/support/identity-quality.ts';
import {
  collected,
  type IdentityStreamEvent,
  identifierItems,
  identityStream,
  personsOf,
} from '../../test/support/identity-stream.ts';
import { randomFrom } from '../../test/support/random.ts';
import { Simulation } from './simulation.ts';

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
  expect(simulation.outcomes.stitched).toBe(events.length);
  return simulation;
}

describe('sixty days of three thousand people', async () => {
  const stream = identityStream(hashing);
  const identifiers = [...personsOf(stream).keys()];
  const inOrder = await stitch(stream, 3, 500);
  const profileOf = (hash: string): string => inOrder.profileOf(hash);

  test('mostly the right profiles, and no blob', () => {
    const quality = qualityOf(identifierItems(stream, profileOf, 'own'));
    expect(quality.bCubed.precision).toBeGreaterThanOrEqual(0.98);
    expect(quality.bCubed.recall).toBeGreaterThanOrEqual(0.87);
    expect(quality.pairs.precision).toBeGreaterThanOrEqual(0.95);
    expect(qualityOf(identifierItems(stream, profileOf, 'all')).largest).toBeLessThanOrEqual(20);
  });

  test.each(Object.keys(deliveries) as Delivery[])(
    'delivered %s, with the times that they were stamped with: no identifier in another profile',
    async (delivery) => {
      const seed = 20_260_101;
      const other = await stitch(delivered(stream, delivery, randomFrom(seed)), 4, 211);
      const moved = identifiers.filter((hash) => other.profileOf(hash) !== profileOf(hash));
      expect(moved, `seed ${seed}`).toEqual([]);
    },
  );
});

test.each([
  ['an address that 2,000 people gave', crowd(2_000, 2_000, garbage)],
  ['a kiosk on which 500 people logged in', crowd(500, 500, kiosk)],
])('%s makes no blob', async (_, rows) => {
  const events = collected(rows, hashing);
  const simulation = await stitch(events, 3, 500);
  const profileOf = (hash: string): string => simulation.profileOf(hash);
  const customers = new Map(
    events
      .flatMap(({ event }) => event.identifiers)
      .filter(({ type }) => type === 'user_id')
      .map(({ hash, value }) => [value, profileOf(hash)]),
  );
  const people = rows.length / 3;
  expect(new Set(customers.values()).size).toBe(people);
  // Each has still their own address and cookie.
  for (const { event } of events) {
    const { value } = event.identifiers[0] ?? {};
    if (value === undefined || !customers.has(value)) continue;
    const own = event.identifiers.filter((one) => /\d/.test(one.value));
    expect(new Set(own.map(({ hash }) => profileOf(hash)))).toEqual(new Set([customers.get(value)]));
  }
  const { largest } = qualityOf([...personsOf(events).keys()].map((hash) => ({ cluster: profileOf(hash), truth: '' })));
  expect(largest).toBeLessThanOrEqual(5);
});
