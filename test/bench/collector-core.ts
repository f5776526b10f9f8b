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
import { routeOf } from '../../services/collector/core/route.ts';
import { rememberingAgents } from '../../services/collector/core/user-agent.ts';
import { People } from './people.ts';
import { RequestWriter } from './requests.ts';

const events = Number(process.argv[2] ?? 400_000);
const codec = new Codec('EventCollected', 1, typeOf('EventCollected'), undefined as never);
const hashing = remembering(hashingWith(Buffer.from('a secret only for this benchmark')));
const envelope = {
  source: 'web',
  settings: definitionKinds.source.parse({ writeKeys: [{ key: 'bench' }] }),
  rules: defaultIdentityRules,
  definitions: [{ definition: 'source/web', version: 1 }],
  sentAt: undefined,
  ip: '203.0.113.7',
  client: undefined,
  knowledge: { agentOf: rememberingAgents(), locationOf: () => undefined },
  gpc: false,
  generation: 1,
  hashing,
  newId: randomUUID,
};

function measure(perRequest: number): void {
  const writer = new RequestWriter(new People(1), perRequest, 'core');
  const asked = Array.from({ length: 1_000 }, () => {
    const { text } = writer.next();
    const route = routeOf('POST', text.split(' ', 2)[1] as string);
    if (route.to !== 'event' && route.to !== 'batch') throw new Error(route.to);
    return { route, body: Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4)) };
  });
  const requests = Math.ceil(events / perRequest);
  let bytes = 0;
  const run = (count: number): void => {
    for (let n = 0; n < count; n++) {
      const { route, body: given } = asked[n % asked.length] as (typeof asked)[number];
      const body = parseBody(given);
      if ('status' in body) throw new Error(body.message);
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
