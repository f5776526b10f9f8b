import { hash } from 'node:crypto';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@clickhouse/client';
import type { EventStitched, IdentityClaim } from '#schemas/generated/records.ts';
import { internalTopics, quietTopics, topics } from '#schemas/topics.ts';
import { type Hashing, hashingWith } from '#shared/identity/hashing.ts';
import { planOf, provisionTopics } from '#shared/kafka/provision-topics.ts';
import { readSecret } from '#shared/service/start-up.ts';
import { nodeFlags } from '../../services/console/cli/replay/children.ts';
import { BoundedMemo } from '../../services/identity-stitcher/core/bounded-memo.ts';
import { Sightings } from '../../services/identity-stitcher/core/sightings.ts';
import { freePorts } from '../support/free-ports.ts';
import type { RunningPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { openWriter } from './backlog.ts';
import { bytesUnder, type Ground, openGround, type StartedService } from './ground.ts';
import { People } from './people.ts';
import { cpuSince } from './processes.ts';
import { benchLatency, benchRiver, type LatencyFigures, openRiver } from './river.ts';
import { NOW, payloadOf } from './shoppers.ts';

/** What a replay of so many events took. */
export interface ReplayFigures {
  readonly events: number;
  readonly profiles: number;
  /** From its start until everybody was told of, seconds; and until history was read. */
  readonly seconds: number;
  readonly read: number;
  /** CPU of an event, by process, microseconds. */
  readonly cpu: Readonly<Record<string, number>>;
  /** State of the new generation, bytes. */
  readonly stateBytes: number;
  /** Its topics, bytes. */
  readonly topicBytes: number;
  /** The event log that was read, bytes. */
  readonly logBytes: number;
}

/** Latency of the live river, alone, and while a generation is rebuilt at a bounded rate. */
export interface BesideFigures {
  /** Events of history that are read in a second. */
  readonly bound: number;
  /** The better of before and after. */
  readonly alone: LatencyFigures;
  readonly beside: LatencyFigures;
}

const PARTITIONS = 4;
const GENERATION = 2;
/** Events a second of the river, each in a request of its own. Twice as many leave nothing of two cores, whoever else runs or not. */
const RATE = 500;
const IN_A_WRITE = 20_000;
const READ = 'tributary_history_events_read';

/** Visitors' events, with what resolvers claim of them, and how many profiles they are. */
class Visitors {
  readonly claims: IdentityClaim[] = [];
  readonly #people = new People(0);
  readonly #hashing: Hashing;
  readonly #total: number;
  readonly #anonymous = new Map<string, boolean>();
  readonly #known = new Set<number>();
  readonly #sightings: Sightings;
  #count = 0;

  constructor(hashing: Hashing, total: number) {
    this.#hashing = hashing;
    this.#total = total;
    const seen = new Map<string, never>();
    const store = {
      get: (id: string) => seen.get(id),
      put: (id: string, one: unknown) => void seen.set(id, one as never),
    };
    const where = { partition: 0, generation: 1 };
    this.#sightings = new Sightings(store, where, new BoundedMemo(50_000), (claim) => this.claims.push(claim));
  }

  get profiles(): number {
    let alone = 0;
    for (const isKnown of this.#anonymous.values()) if (!isKnown) alone++;
    return this.#known.size + alone;
  }

  next(): EventStitched {
    const n = this.#count++;
    const { person, device, kind, known } = this.#people.next();
    const identifierOf = (type: string, value: string) => ({ type, value, hash: hash('md5', value) });
    const anonymous = identifierOf('anonymous_id', `a-${person}-${device}`);
    const user = identifierOf('user_id', `u-${person}`);
    if (known) this.#known.add(person);
    this.#anonymous.set(anonymous.value, known || this.#anonymous.get(anonymous.value) === true);
    const identifiers = known ? [user, anonymous] : [anonymous];
    const timestamp = NOW - Math.floor((1 - n / this.#total) * 300 * 86_400_000);
    const event: EventStitched = {
      message_id: `ajs-next-1700000000000-${n}`,
      type: kind === 'order' ? 'track' : kind,
      event: kind === 'order' ? 'Order Completed' : kind === 'track' ? 'Product Viewed' : null,
      source: 'local-web',
      user_id: known ? user.value : null,
      anonymous_id: anonymous.value,
      original_timestamp: timestamp,
      sent_at: timestamp,
      received_at: timestamp,
      timestamp,
      flags: [],
      kind: 'person',
      identifiers,
      payload: payloadOf(kind, n, n % 1_000),
      ip: null,
      enrichment: '{}',
      consents: [],
      currency: 'USD',
      definitions: [],
      generation: 1,
      profile_id: this.#hashing.profileIdOf((identifiers[0] as typeof user).hash),
      mapping_version: 0,
    };
    this.#sightings.see(event);
    return event;
  }
}

/** A new generation of so many events in the log, with ten computed traits, whose claims were recorded. */
export async function benchReplay(
  platform: RunningPlatform,
  pids: { readonly kafka: number; readonly clickhouse: number },
  events: number,
  say: (line: string) => void,
  profiles?: string,
): Promise<ReplayFigures> {
  const ground = await openGround(platform, profiles);
  await ground.attachClickHouse();
  const { prefix } = ground.installation;
  const hashing = hashingWith(readSecret({ secretFile: join(platform.dataDir, 'secret'), dataDirectory: '' }));
  const visitors = new Visitors(hashing, events);
  const stitched = await openWriter(ground, topics.eventsStitched, ({ profile_id }) => profile_id, PARTITIONS);
  const claims = await openWriter(ground, topics.identityClaims, ({ claim_id }) => claim_id, 1);
  for (let n = 0; n < events; n += IN_A_WRITE) {
    await stitched.write(Array.from({ length: Math.min(IN_A_WRITE, events - n) }, () => visitors.next()));
    await claims.write(visitors.claims.splice(0));
    if (n % 1_000_000 === 0 && n > 0) say(`  ${n} events written`);
  }
  await stitched.close();
  await claims.close();
  const clickhouse = createClient({
    url: platform.clickhouseUrl,
    username: 'default',
    password: platform.clickhousePassword,
    database: ground.database,
  });
  const one = async (query: string): Promise<number> => {
    const rows = await (await clickhouse.query({ query, format: 'JSONEachRow' })).json<{ n: string }>();
    return Number(rows[0]?.n ?? 0);
  };
  await until(
    'ClickHouse has all',
    async () => (await one('SELECT count() AS n FROM events_log')) >= events,
    3_600_000,
  );
  await provisionGeneration(ground);
  say(`  replaying ${events} events of ${visitors.profiles} profiles`);
  const env = { ...quietly };
  const began = performance.now();
  const stitcher = await ground.start('identity-stitcher', env, nodeFlags);
  const projector = await ground.start('profile-projector', env, nodeFlags);
  const used = cpuSince({ ...pids, projector: projector.pid, stitcher: stitcher.pid });
  await until('history is read', async () => (await projector.metric(READ)) >= events, 3_600_000);
  const read = (performance.now() - began) / 1_000;
  const tellings = (): Promise<number> => projector.metric('tributary_task_outputs_total', 'output="own"');
  await until('everybody is told of', async () => (await tellings()) >= visitors.profiles, 600_000);
  const seconds = (performance.now() - began) / 1_000;
  const cpu = Object.fromEntries(Object.entries(used()).map(([name, micros]) => [name, micros / events]));
  await projector.stop();
  await stitcher.stop();
  const kafkaDirectory = join(platform.dataDir, 'kafka');
  const figures = {
    events,
    profiles: visitors.profiles,
    seconds,
    read,
    cpu,
    stateBytes: bytesUnder(join(ground.data, 'state', `g${GENERATION}`)),
    topicBytes: bytesUnder(kafkaDirectory, (path) => path.includes(`${prefix}internal.g${GENERATION}.`)),
    logBytes: await one(
      `SELECT sum(bytes_on_disk) AS n FROM system.parts WHERE active AND database = currentDatabase() AND table = 'events_log'`,
    ),
  };
  await clickhouse.close();
  await ground.close();
  return figures;
}

/** Latency of a steady river, before and while history is read. */
export async function benchBeside(
  platform: RunningPlatform,
  pids: Readonly<Record<string, number>>,
  { history, bound, seconds }: { readonly history: number; readonly bound: number; readonly seconds: number },
): Promise<BesideFigures> {
  const ground = await openGround(platform);
  const river = await openRiver(ground);
  await benchRiver(river, pids, { events: history, warmUpEvents: 10_000 });
  const before = await benchLatency(river, { rate: RATE, seconds, name: 'before' });
  await provisionGeneration(ground);
  const env = { ...quietly, TRIBUTARY_REPLAY_RATE: String(bound) };
  const [port, another] = (await freePorts(2)).map(String) as [string, string];
  const services = [
    await ground.start('identity-stitcher', { ...env, TRIBUTARY_OPS_PORT: port }, nodeFlags),
    await ground.start('profile-projector', { ...env, TRIBUTARY_OPS_PORT: another }, nodeFlags),
  ];
  // As the tool starts them.
  for (const { pid } of services) setPriority(pid, 10);
  const readSoFar = (): Promise<number> => (services[1] as StartedService).metric(READ);
  await until('history is being read', async () => (await readSoFar()) > 0, 120_000);
  const readBefore = await readSoFar();
  const beside = await benchLatency(river, { rate: RATE, seconds, name: 'beside' });
  const readAfter = await readSoFar();
  if (readAfter === readBefore || readAfter >= history)
    throw new Error(
      `of ${history} events of history ${readBefore} were read before, ${readAfter} after: it was not beside`,
    );
  await Promise.all(services.map((service) => service.stop()));
  const after = await benchLatency(river, { rate: RATE, seconds, name: 'after' });
  // At first ClickHouse may still be putting in order what it was given before.
  const alone = before.p95 < after.p95 ? before : after;
  await river.clickhouse.close();
  await ground.close();
  return { bound, alone, beside };
}

const quietly = {
  TRIBUTARY_GENERATION: String(GENERATION),
  TRIBUTARY_QUIET: 'true',
  TRIBUTARY_REPLAY_HISTORY: 'clickhouse',
};

async function provisionGeneration({ installation: { admin, prefix } }: Ground): Promise<void> {
  const all = [...internalTopics(GENERATION), ...Object.values(quietTopics(GENERATION))];
  const plans = all.map((topic) => planOf(topic, prefix, PARTITIONS, 1));
  await provisionTopics(admin, [...new Map(plans.map((plan) => [plan.topic, plan])).values()]);
}
