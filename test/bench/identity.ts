import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventCollected, IdentityClaim } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import { type Hashing, hashingWith } from '#shared/identity/hashing.ts';
import { readSecret } from '#shared/service/start-up.ts';
import { residentBytes } from '../../deploy/local/process-identity.ts';
import { readRecords } from '../../deploy/local/sample/kafka-records.ts';
import { crowd, garbage, kiosk, secondAddress, secondBrowser } from '../support/crowd.ts';
import { type Difference, delivered, differenceOf } from '../support/delivery.ts';
import { asSent, collected, identityRows, identityStream, personsOf, type Row } from '../support/identity-stream.ts';
import type { RunningPlatform } from '../support/platform.ts';
import { randomFrom } from '../support/random.ts';
import { until } from '../support/until.ts';
import { writeBacklog } from './backlog.ts';
import { bytesUnder, type Ground, openGround } from './ground.ts';
import { claimsOf } from './identity-quality.ts';
import { manyPeople } from './many-people.ts';
import { generateLoad } from './processes.ts';
import { quantile } from './quantile.ts';
import type { River } from './river.ts';
import { INPUTS, measure, OUTPUTS, type StageFigures } from './stages.ts';

const ORDER_SEED = 1;

export interface IdentityStages {
  readonly resolver: StageFigures;
  readonly linker: StageFigures;
  /** What the linker's process and disk hold for each identifier, once all claims are in. */
  readonly identifiers: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

interface StreamFigures {
  readonly stage: StageFigures;
  /** Identifiers of the largest profile. */
  readonly largest: number;
}

/** Speed with something that is each one's own, and with what is the same for all. */
export interface CrowdFigures {
  readonly what: string;
  readonly own: StreamFigures;
  readonly shared: StreamFigures;
}

export interface RegroupFigures {
  readonly rate: number;
  readonly links: number;
  /** Milliseconds from the answer to the event that links. */
  readonly warehouse: readonly number[];
  readonly api: readonly number[];
}

/** Resolver and linker, each alone in one process of the stitcher, with a backlog in Kafka and state on disk. */
export async function benchIdentityStages(
  platform: RunningPlatform,
  kafkaPid: number,
  { events, claims }: { readonly events: number; readonly claims: number },
  profiles?: string,
): Promise<IdentityStages> {
  const hashing = hashingOf(platform);
  const known = await openGround(platform, profiles);
  // The same people again and again: after the first round nothing is new, as in nine of ten events anywhere.
  const stream = identityStream(hashing).map(({ event }) => event);
  const rounds = Math.max(1, Math.round(events / stream.length));
  const again = Array.from({ length: rounds }, (_, round) =>
    stream.map((event) => ({ ...event, message_id: `${round}-${event.message_id}` })),
  ).flat();
  await writeBacklog(known, topics.eventsCollected, again, routingHash);
  const resolver = await measureStitcher(known, 'resolver', kafkaPid, again.length);
  await known.close();

  const fresh = await openGround(platform, profiles);
  const unlinked = claimsOf(manyPeople(claims * 3, hashing)).slice(0, claims);
  await writeBacklog(fresh, topics.identityClaims, unlinked, ({ claim_id }) => claim_id, 1);
  const stitcher = await fresh.start('identity-stitcher');
  const resident = (): number => residentBytes(stitcher.pid) ?? Number.NaN;
  // What the code and a first third take is not the identifiers'.
  let before = { claims: 0, bytes: resident() };
  const taken = async (): Promise<number> => {
    const claims = await stitcher.metric(INPUTS, 'task="linker"');
    if (claims < unlinked.length / 3) before = { claims, bytes: resident() };
    return claims;
  };
  const linker = await measure('linker', stitcher, kafkaPid, {
    total: unlinked.length,
    done: taken,
    idle: async () => true,
  });
  const grown = resident() - before.bytes;
  await stitcher.stop();
  const identifiers = identifiersIn(unlinked);
  const memoryBytes = (grown * identifiers) / (identifiers - identifiersIn(unlinked.slice(0, before.claims)));
  const diskBytes = bytesUnder(join(platform.dataDir, fresh.installation.prefix));
  await fresh.close();
  return { resolver, linker, identifiers, memoryBytes, diskBytes };
}

/** The same people twice: each with something more of their own; and that is the same for many: an address, a kiosk. */
export async function benchCrowd(
  platform: RunningPlatform,
  kafkaPid: number,
  { people, logIns }: { readonly people: number; readonly logIns: number },
): Promise<CrowdFigures[]> {
  const address = [
    await benchStream(platform, kafkaPid, crowd(people, people, secondAddress)),
    await benchStream(platform, kafkaPid, crowd(people, people, garbage)),
  ] as const;
  const browser = [
    await benchStream(platform, kafkaPid, crowd(people, logIns, secondBrowser)),
    await benchStream(platform, kafkaPid, crowd(people, logIns, kiosk)),
  ] as const;
  return [
    { what: `an address of ${people}`, own: address[0], shared: address[1] },
    { what: `a kiosk of ${logIns}`, own: browser[0], shared: browser[1] },
  ];
}

async function benchStream(platform: RunningPlatform, kafkaPid: number, rows: readonly Row[]): Promise<StreamFigures> {
  const hashing = hashingOf(platform);
  const ground = await openGround(platform);
  const events = collected(rows, hashing).map(({ event }) => event);
  await writeBacklog(ground, topics.eventsCollected, events, routingHash);
  const stage = await measureStitcher(ground, 'stitcher', kafkaPid, events.length);
  const profileOf = await mappingsOf(ground);
  const sizes = new Map<string, number>();
  for (const hash of new Set(events.flatMap(({ identifiers }) => identifiers.map((one) => one.hash)))) {
    const profile = profileOf.get(hash) ?? hashing.profileIdOf(hash);
    sizes.set(profile, (sizes.get(profile) ?? 0) + 1);
  }
  await ground.close();
  return { stage, largest: sizes.values().reduce((most, size) => Math.max(most, size), 0) };
}

/** The stream of `test/data` sent by HTTP in order and wholly shuffled, each to an installation of its own: what is grouped otherwise. */
export async function benchOrderByHttp(platform: RunningPlatform): Promise<Difference> {
  const rows = identityRows();
  const byId = new Map(rows.map((row) => [row.id, row]));
  const hashing = hashingOf(platform);
  const stream = collected(rows, hashing);
  const shuffled = delivered(stream, 'wholly shuffled', randomFrom(ORDER_SEED));
  const orders = [stream, shuffled].map((events) => events.map(({ event }) => byId.get(event.message_id) as Row));
  const groupings: ((hash: string) => string)[] = [];
  for (const order of orders) {
    const ground = await openGround(platform);
    const [collector, stitcher] = await Promise.all([ground.start('collector'), ground.start('identity-stitcher')]);
    for (let from = 0; from < order.length; from += 100)
      await post(platform, { batch: order.slice(from, from + 100).map(asSent) });
    await until(
      'the stream is linked',
      async () =>
        (await stitcher.metric(INPUTS, 'task="resolver"', 'input="event"')) >= order.length &&
        (await stitcher.metric(INPUTS, 'task="linker"')) >= (await stitcher.metric(OUTPUTS, 'output="claim"')),
      120_000,
    );
    const profileOf = await mappingsOf(ground);
    groupings.push((hash) => profileOf.get(hash) ?? hashing.profileIdOf(hash));
    await Promise.all([collector.stop(), stitcher.stop()]);
    await ground.close();
  }
  const [a, b] = groupings as [(hash: string) => string, (hash: string) => string];
  return differenceOf(personsOf(stream).keys(), a, b);
}

/** While events flow at a steady rate: two profiles become one, again and again; until ClickHouse's view and the read API say so. */
export async function benchRegroup(
  { ground, clickhouse }: River,
  { rate, links }: { readonly rate: number; readonly links: number },
): Promise<RegroupFigures> {
  const { platform } = ground;
  const console = await ground.start('console');
  const token = readFileSync(join(platform.dataDir, 'api-token'), 'utf8').trim();
  const api = `http://127.0.0.1:${platform.platform.settings.apiPort}/v1/profiles/`;
  const profileInApi = async (reference: string): Promise<string | undefined> => {
    const response = await fetch(api + encodeURIComponent(reference), {
      headers: { authorization: `Bearer ${token}` },
    });
    return response.ok ? ((await response.json()) as { profile_id: string }).profile_id : undefined;
  };
  const profilesInWarehouse = async ({ hashes, ids }: Pick<Pair, 'hashes' | 'ids'>): Promise<string[]> => {
    // By the routing identifiers, in whose order events lie, as a query for one profile does.
    const query =
      'SELECT profile_id FROM events WHERE routing IN {hashes: Array(String)} AND message_id IN {ids: Array(String)}';
    const result = await clickhouse.query({ query, query_params: { hashes, ids }, format: 'JSONEachRow' });
    return (await result.json<{ profile_id: string }>()).map(({ profile_id }) => profile_id);
  };
  const hashing = hashingOf(platform);
  const pairs = Array.from({ length: links }, (_, n): Pair => {
    const [cookie, user] = [`regroup-cookie-${n}`, `regroup-user-${n}`];
    const hashes = [hashing.hash('anonymous_id', cookie), hashing.hash('user_id', user)];
    return { cookie, user, hashes, ids: [`regroup-a-${n}`, `regroup-b-${n}`] };
  });
  const batch = pairs.flatMap(({ cookie, user, ids }) => [
    { type: 'page', messageId: ids[0], anonymousId: cookie },
    { type: 'track', event: 'Seen', messageId: ids[1], userId: user },
  ]);
  await post(platform, { batch });
  const last = pairs.at(-1) as Pair;
  await until('both are known', async () => {
    const known = await Promise.all([
      profileInApi(`anonymous_id:${last.cookie}`),
      profileInApi(`user_id:${last.user}`),
    ]);
    return known.every((one) => one !== undefined) && (await profilesInWarehouse(last)).length === 2;
  });
  const flow = generateLoad({
    port: platform.platform.settings.collectorPort,
    connections: 64,
    batch: 1,
    name: 'regroup',
    firstPerson: 30_000_000,
    warmUpSeconds: 2,
    seconds: links * 1.5,
    rate,
  });
  await sleep(3_000);
  const warehouse: number[] = [];
  const readApi: number[] = [];
  for (const pair of pairs) {
    const { cookie, user, ids } = pair;
    await post(platform, {
      batch: [{ type: 'identify', messageId: `link-${ids[0]}`, anonymousId: cookie, userId: user }],
    });
    const began = performance.now();
    const timed = async (into: number[], what: string, holds: () => Promise<boolean>): Promise<void> => {
      await until(what, holds, 30_000);
      into.push(performance.now() - began);
    };
    await Promise.all([
      timed(warehouse, 'one profile in ClickHouse', async () => new Set(await profilesInWarehouse(pair)).size === 1),
      timed(readApi, 'one profile in the read API', async () => {
        const profile = await profileInApi(`anonymous_id:${cookie}`);
        return profile !== undefined && profile === (await profileInApi(`user_id:${user}`));
      }),
    ]);
    await sleep(100);
  }
  await flow;
  await console.stop();
  const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
  return { rate, links, warehouse: sorted(warehouse), api: sorted(readApi) };
}

/** Two that will be one: who visited with a cookie, and a customer. */
interface Pair {
  readonly cookie: string;
  readonly user: string;
  readonly hashes: readonly string[];
  readonly ids: readonly string[];
}

export const regroupQuantiles = (delays: readonly number[]) => ({
  p50: quantile(delays, 0.5),
  p95: quantile(delays, 0.95),
  max: delays.at(-1) ?? Number.NaN,
});

const hashingOf = ({ dataDir }: RunningPlatform): Hashing =>
  hashingWith(readSecret({ secretFile: '', dataDirectory: dataDir }));

const identifiersIn = (claims: readonly IdentityClaim[]): number =>
  new Set(claims.flatMap(({ identifiers }) => identifiers.map(({ hash }) => hash))).size;

const routingHash = ({ identifiers }: EventCollected): string => identifiers[0]?.hash ?? '';

/** The stitcher alone, until what its resolvers claimed is linked. */
async function measureStitcher(ground: Ground, what: string, kafkaPid: number, total: number): Promise<StageFigures> {
  const stitcher = await ground.start('identity-stitcher');
  const figures = await measure(what, stitcher, kafkaPid, {
    total,
    done: () => stitcher.metric(INPUTS, 'task="resolver"', 'input="event"'),
    idle: async () =>
      (await stitcher.metric(INPUTS, 'task="linker"')) >= (await stitcher.metric(OUTPUTS, 'output="claim"')),
  });
  await stitcher.stop();
  return figures;
}

async function mappingsOf({ installation }: Ground): Promise<Map<string, string>> {
  const records = await readRecords({ ...installation, generation: 1 }, topics.identityMappings);
  return new Map(records.flatMap(({ key, value }) => (value ? [[key, value.profile_id]] : [])));
}

async function post({ platform }: RunningPlatform, body: object): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${platform.settings.collectorPort}/v1/batch`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('local-web:')}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (response.status !== 200) throw new Error(`the collector answered ${response.status}: ${await response.text()}`);
}
