/**
 * The collector's pure part in memory, without HTTP and Kafka: microseconds of CPU from a request's bytes to encoded records.
 * `node test/bench/collector-core.ts [events]`
 */
import { randomUUID } from 'node:crypto';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { remembering } from '#shared/identity/remembering.ts';
import { Codec, typeOf } from '#shared/kafka/codec.ts';
import { partitionOf } from '#shared/kafka/partition-of.ts';
import { decideAll, parseBody } from '../../services/collector/core/request.ts';
import { rememberingAgents } from '../../services/collector/core/user-agent.ts';

const events = Number(process.argv[2] ?? 400_000);
const codec = new Codec('EventCollected', 1, typeOf('EventCollected'), undefined as never);
const hashing = remembering(hashingWith(Buffer.from('a secret only for this benchmark')));
const envelope = {
  source: 'web',
  settings: definitionKinds.source.parse({ writeKeys: [{ key: 'bench' }] }),
  rules: defaultIdentityRules,
  definitions: [{ definition: 'source/web', version: 1 }],
  sentAt: undefined,
  ip: null,
  client: undefined,
  knowledge: { agentOf: rememberingAgents(), locationOf: () => undefined },
  gpc: false,
  generation: 1,
  hashing,
  newId: randomUUID,
};

const eventOf = (n: number): object => ({
  type: 'track',
  event: 'Product Viewed',
  userId: `user-${n % 10_000}`,
  anonymousId: `84469a7b-c970-457a-89cf-${String(n % 10_000).padStart(12, '0')}`,
  messageId: `node-next-1795454119052-${n}`,
  timestamp: '2026-11-23T17:15:19.052Z',
  properties: { product_id: `sku-${n}`, name: 'A thing that is for sale', price: 19.9, currency: 'EUR', quantity: 1 },
  context: {
    library: { name: 'analytics.js', version: 'npm:next-1.84.3' },
    page: {
      path: '/products/thing',
      search: '?utm_source=letter&utm_campaign=autumn',
      url: 'https://shop.example.com/products/thing?utm_source=letter&utm_campaign=autumn',
      referrer: 'https://www.google.com/',
    },
    userAgent: `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${100 + (n % 50)}.0.0.0 Safari/537.36`,
  },
});

function measure(perRequest: number): void {
  const bodies = Array.from({ length: 1_000 }, (_, n) =>
    Buffer.from(
      JSON.stringify(
        perRequest === 1
          ? eventOf(n)
          : { batch: Array.from({ length: perRequest }, (_, i) => eventOf(n * perRequest + i)), sentAt: new Date() },
      ),
    ),
  );
  const requests = Math.ceil(events / perRequest);
  let bytes = 0;
  const run = (count: number): void => {
    for (let n = 0; n < count; n++) {
      const body = parseBody(bodies[n % bodies.length] as Buffer);
      if ('status' in body) throw new Error(body.message);
      const route = perRequest === 1 ? ({ to: 'event', type: 'track' } as const) : ({ to: 'batch' } as const);
      const decisions = decideAll(route, body, 16 * 1024 * 1024, {
        ...envelope,
        receivedAt: 1_795_454_119_100,
        sentAt: body.json.sentAt,
      });
      if (!Array.isArray(decisions)) throw new Error(decisions.message);
      for (const decision of decisions) {
        if (decision.outcome !== 'accepted') throw new Error(decision.outcome);
        bytes += codec.encode(decision.value).length + partitionOf(decision.key, 8);
      }
    }
  };
  run(requests / 10);
  const cpu = process.cpuUsage();
  run(requests);
  const { user, system } = process.cpuUsage(cpu);
  const each = (user + system) / (requests * perRequest);
  console.log(
    `${perRequest} a request: ${each.toFixed(1)} µs of CPU an event, ${Math.round(bytes / (requests * 1.1 * perRequest))} bytes`,
  );
}

for (const perRequest of [1, 20]) measure(perRequest);
