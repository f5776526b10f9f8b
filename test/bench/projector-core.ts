/**
 * The pure part of the projector: no Kafka, no Avro, no disk. `node test/bench/projector-core.ts [events]` prints events a second
 * and microseconds an event, by kind of event, for batches of 2,000.
 */
import type { EventStitched, Identifier } from '#schemas/generated/records.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { MemoryState, someMoment } from '#shared/task/memory.ts';
import type { Input, Task } from '#shared/task/task.ts';
import { Workspace } from '#shared/task/workspace.ts';
import { createProjector } from '../../services/profile-projector/projector.ts';

const total = Number(process.argv[2] ?? 200_000);
const batchSize = 2_000;
const people = 20_000;
const rounds = 3;

const task = createProjector({ generation: 1 }) as unknown as Task;
const body = definitionKinds.source.parse({ writeKeys: [{ key: 'bench' }] });
const definitions = new Definitions([{ kind: 'source', name: 'web', version: 1, body }]);

/** Repeatable, roughly even numbers below `below`. */
let state = 1;
const random = (below: number): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 0x1_0000_0000) * below);
};

const context = {
  library: { name: 'analytics.js', version: '1.0' },
  page: { path: '/p', url: 'https://shop.example/p', title: 'Product', referrer: 'https://shop.example/' },
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
  locale: 'en-GB',
};
const payloads = {
  page: JSON.stringify({ type: 'page', context, properties: { path: '/p', title: 'Product' } }),
  track: JSON.stringify({ type: 'track', event: 'Product Viewed', context, properties: { sku: 'A-1', price: 19.9 } }),
  identify: JSON.stringify({
    type: 'identify',
    context,
    traits: { email: 'a@shop.example', firstName: 'Ada', plan: 'pro', logins: 12, address: { city: 'London' } },
  }),
  order: JSON.stringify({
    type: 'track',
    event: 'Order Completed',
    context,
    properties: { order_id: '1', revenue: 77.5, currency: 'USD', products: [{ sku: 'A-1', price: 19.9, quantity: 2 }] },
  }),
};
type Kind = keyof typeof payloads;

function eventOf(kind: Kind, n: number): EventStitched {
  const person = random(people);
  const hash = person.toString(16).padStart(32, '0');
  const identifier: Identifier = { type: 'user_id', value: `user-${person}`, hash };
  return {
    message_id: `ajs-next-1700000000000-${n}`,
    type: kind === 'order' ? 'track' : kind,
    event: kind === 'order' ? 'Order Completed' : kind === 'track' ? `Event ${random(10)}` : null,
    source: 'web',
    user_id: identifier.value,
    anonymous_id: null,
    original_timestamp: n,
    sent_at: n,
    received_at: n,
    timestamp: n,
    flags: [],
    kind: 'person',
    identifiers: [identifier],
    payload: payloads[kind],
    ip: null,
    enrichment: '{}',
    consents: [],
    currency: 'USD',
    definitions: [],
    generation: 1,
    profile_id: `00000000-0000-5000-8000-${person.toString(16).padStart(12, '0')}`,
    mapping_version: 0,
  };
}

function inputs(kindOf: () => Kind): Input[] {
  return Array.from({ length: total }, (_, offset) => {
    const value = eventOf(kindOf(), offset);
    return { input: 'event', partition: 0, offset, key: value.profile_id, value, timestamp: offset, raw: null };
  });
}

async function microsecondsPerEvent(all: readonly Input[]): Promise<number> {
  const memory = new MemoryState(task.stores);
  const start = process.cpuUsage();
  for (let at = 0; at < all.length; at += batchSize) {
    const batch = all.slice(at, at + batchSize);
    const work = new Workspace(task.stores, memory, someMoment);
    await task.process(batch as never, work as never, definitions, new AbortController().signal);
    work.assertBalanced(batch);
    memory.apply(work);
  }
  const { user, system } = process.cpuUsage(start);
  return (user + system) / all.length;
}

const mixed = (): Kind => {
  const drawn = random(100);
  return drawn < 70 ? 'page' : drawn < 85 ? 'track' : drawn < 93 ? 'identify' : 'order';
};
const mixes: readonly (readonly [name: string, kindOf: () => Kind])[] = [
  ['70% page, 15% track, 8% identify, 7% order', mixed],
  ['page', () => 'page'],
  ['track', () => 'track'],
  ['identify', () => 'identify'],
  ['order', () => 'order'],
];

console.log(`projector core: ${total} events of ${people} people in batches of ${batchSize}, best of ${rounds}`);
for (const [name, kindOf] of mixes) {
  const all = inputs(kindOf);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) best = Math.min(best, await microsecondsPerEvent(all));
  const rate = Math.round(1e6 / best).toLocaleString('en');
  console.log(`${name.padEnd(44)} ${rate.padStart(10)} events/s ${best.toFixed(2).padStart(8)} µs CPU an event`);
}
