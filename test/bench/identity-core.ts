/**
 * The stitcher's pure parts in memory, without Kafka, Avro and disk: events/s of the resolver, claims/s of the linker.
 * `node test/bench/identity-core.ts [events]`
 */
import type { EventCollected, IdentityClaim } from '#schemas/generated/records.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { memoryPartition } from '#shared/task/memory.ts';
import { createLinker } from '../../services/identity-stitcher/linker.ts';
import { createResolver } from '../../services/identity-stitcher/resolver.ts';
import { manyPeople } from './many-people.ts';

const BATCH = 1_000;
/** A thousand events a second. */
const START = Date.UTC(2026, 0, 1);
const count = Number(process.argv[2] ?? 400_000);
const hashing = hashingWith(Buffer.from('a secret only for this benchmark'));

async function measure(what: string, items: number, work: () => Promise<void>): Promise<void> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const each = (user + system) / items;
  console.log(`${what}: ${Math.round(items / seconds).toLocaleString('en')}/s, ${each.toFixed(2)} µs of CPU each`);
}

const log = manyPeople(count, hashing);
const claims: IdentityClaim[] = [];
const resolver = memoryPartition(createResolver({ hashing, generation: 1 }), 0);
const resolve = async (stream: readonly EventCollected[]): Promise<void> => {
  for (let from = 0; from < stream.length; from += BATCH) {
    const batch = stream.slice(from, from + BATCH);
    const { emitted } = await resolver.run(
      batch.map((value) => ({ input: 'event', key: value.identifiers[0]?.hash ?? '', value })),
    );
    for (const { output, value } of emitted) if (output === 'claim') claims.push(value as IdentityClaim);
  }
};
await measure('resolver, events of new people', log.length, () => resolve(log));
const again = log.slice(-50_000).map((event, n) => ({
  ...event,
  message_id: `again ${event.message_id}`,
  received_at: START + count + n,
}));
await measure('resolver, events of known people', again.length, () => resolve(again));
console.log(`claims: ${claims.length.toLocaleString('en')}`);
const linker = memoryPartition(createLinker({ hashing, generation: 1 }), 0);
await measure('linker, claims', claims.length, async () => {
  for (let from = 0; from < claims.length; from += BATCH) {
    await linker.run(claims.slice(from, from + BATCH).map((value) => ({ input: 'claim', key: value.claim_id, value })));
  }
});
