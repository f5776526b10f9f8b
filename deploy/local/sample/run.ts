import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import type { ClickHouseClient } from '@clickhouse/client';
import { deliveryTopic, topics } from '#schemas/topics.ts';
import { applyDefinitions } from '#shared/definitions/apply.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { createKafka } from '#shared/kafka/client.ts';
import { Codecs } from '#shared/kafka/codec.ts';
import type { Platform } from '../platform.ts';
import { answersHttp } from '../probes.ts';
import { type Books, differences, outcomesOf, takenBy } from './books.ts';
import { type Expected, type Findings, problemsIn } from './checks.ts';
import { installationSettings, sampleSize } from './config.ts';
import type { Installation } from './kafka-records.ts';
import { followLedger, type Ledger } from './ledger.ts';
import { centsOf, type OrderEvent, orderOf, purchasesIn } from './orders.ts';
import { type ProfileFeed, readProfileFeed, revenueOf } from './profile-feed.ts';
import type { Progress } from './progress.ts';
import { seededRandom } from './random.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { sendClicks } from './send-clicks.ts';
import { sendOrders } from './send-orders.ts';
import { newSecret, readState, type SampleState, writeState } from './state.ts';
import { type ClickStream, clickStream } from './visitors.ts';
import { connectWarehouse, readWarehouse, type Warehouse, warehouseDifferences } from './warehouse.ts';

/** An installation on this machine: running here, or by a supervisor of its own. */
export type SampleHost = Pick<Platform, 'directory' | 'settings' | 'clickhousePassword' | 'apiToken'> & {
  env(): Record<string, string>;
};

const DESTINATION = 'local-webhook';
/** Orders from this revenue on are told to the webhook, whatever the currency. */
const WORTH_TELLING = 150;
const SEED = 1997;
const FILE = new URL('../../../test/data/cdnow_master_transactions.csv.gz', import.meta.url);
/** Kafka keeps events for a week; of what was begun earlier the checks no longer find all. */
const RESUMABLE_MS = 6 * 86_400_000;
/** Nothing has changed for so long: waiting on will not help. */
const STILL_MS = 90_000;
const READY_WITHIN_MS = 120_000;

/** The sample of one installation, ready to be sent. */
export interface Sample {
  readonly host: SampleHost;
  readonly installation: Installation;
  readonly orders: readonly OrderEvent[];
  readonly clicks: ClickStream;
  readonly expected: Expected;
  readonly receiver: Receiver;
  readonly ledger: Ledger;
  readonly clickhouse: ClickHouseClient;
  state: SampleState;
}

const stateFile = ({ directory }: Pick<SampleHost, 'directory'>): string => join(directory, 'sample', 'state.json');

/** Makes everything ready: the receiver, the destination, and all that reads along. */
export async function openSample(host: SampleHost): Promise<Sample> {
  const env = host.env();
  const settings = installationSettings(env);
  const { prefix, generation, registryUrl, partitions, replication } = settings;
  const kafka = createKafka(settings, 'sample');
  const installation: Installation = { kafka, codecs: new Codecs(registryUrl), prefix, generation };

  const before = readState(stateFile(host));
  const { rows, visitors } = before ?? sampleSize();
  const begunAt = before?.begunAt ?? Date.now();
  const sharedSecret = before?.sharedSecret ?? newSecret();
  const receiver = await startReceiver({
    port: before?.receiverPort ?? 0,
    sharedSecret,
    file: join(host.directory, 'sample', 'received'),
  });
  const state: SampleState = {
    seed: SEED,
    rows,
    visitors,
    begunAt,
    acknowledged: before?.acknowledged ?? null,
    loadMs: before?.loadMs ?? null,
    receiverPort: receiver.port,
    sharedSecret,
  };
  writeState(stateFile(host), state);

  const purchases = purchasesIn(gunzipSync(readFileSync(FILE)).toString('utf8')).slice(0, rows);
  const orders = purchases.map(orderOf);
  const clicks = clickStream({
    customers: [...new Set(orders.map(({ userId }) => userId))],
    visitors,
    until: begunAt,
    random: seededRandom(state.seed),
  });
  const expected: Expected = {
    sent: orders.length + clicks.expected.sent,
    distinct: orders.length + clicks.expected.distinct,
    duplicates: clicks.expected.duplicates,
    bad: clicks.expected.bad,
    deliveries: worthTelling(orders, clicks),
    dollarCents: centsOf(purchases),
    euroCents: clicks.expected.cents,
  };

  const body = definitionKinds.destination.parse({
    type: 'webhook',
    action: 'send',
    subscribe: `type = "track" and event = "Order Completed" and properties.revenue >= ${WORTH_TELLING}`,
    settings: { sharedSecret },
    mapping: { url: receiver.url, method: 'POST', data: { '@path': '$.' } },
    retry: { attempts: 50, initialMs: 200, maxMs: 5_000 },
  });
  await applyDefinitions(
    { kafka, codecs: installation.codecs, prefix, partitions, replication },
    [{ kind: 'destination', name: DESTINATION, body }],
    { actor: 'npm start', reason: 'the sample tells a local receiver of large orders', at: Date.now() },
  );
  const ledger = await followLedger(installation, DESTINATION);
  const clickhouse = connectWarehouse({
    url: env.TRIBUTARY_CLICKHOUSE_URL as string,
    username: env.TRIBUTARY_CLICKHOUSE_USER as string,
    password: host.clickhousePassword,
  });
  return { host, installation, orders, clicks, expected, receiver, ledger, clickhouse, state };
}

export async function closeSample({ ledger, clickhouse, receiver }: Sample): Promise<void> {
  await Promise.all([ledger.stop(), clickhouse.close()]);
  await receiver.close();
}

/**
 * Sends the sample unless that was done.
 * @param onSent called with the number of acknowledged events as it grows
 * @param hold asked before each event; it is held back until what this answers resolves
 */
export async function loadSample(
  sample: Sample,
  onSent: (acknowledged: number) => void,
  hold: () => Promise<void> | undefined = () => undefined,
): Promise<void> {
  const { host, state, orders, clicks } = sample;
  if (state.acknowledged !== null) return;
  if (Date.now() - state.begunAt > RESUMABLE_MS)
    throw new Error(
      `it was begun at ${new Date(state.begunAt).toISOString()} and not finished, too long ago to go on: Kafka may no longer have all of it.`,
    );
  await untilDestinationIsServed(sample);
  const began = performance.now();
  const collector = `http://127.0.0.1:${host.settings.collectorPort}`;
  const so = { orders: 0, clicks: 0 };
  const tell = (): void => onSent(so.orders + so.clicks);
  const [byServer, byBrowsers] = await Promise.all([
    sendOrders(orders, {
      host: collector,
      writeKey: 'local-server',
      hold,
      onProgress: (count) => {
        so.orders = count;
        tell();
      },
    }),
    sendClicks(clicks.visits, {
      host: collector,
      writeKey: 'local-web',
      hold,
      onProgress: (count) => {
        so.clicks = count;
        tell();
      },
    }),
  ]);
  const loadMs = Math.round(performance.now() - began);
  sample.state = { ...state, acknowledged: byServer + byBrowsers, loadMs };
  writeState(stateFile(host), sample.state);
}

/** An event that comes before the planner knows the destination is not planned for it. */
async function untilDestinationIsServed({ host, ledger, installation }: Sample): Promise<void> {
  const end = performance.now() + READY_WITHIN_MS;
  const topic = installation.prefix + deliveryTopic(DESTINATION).name;
  const served = async (): Promise<boolean> =>
    (await ledger.read()).accounting.some((one) => one.topic === topic) &&
    (await answersHttp(`http://127.0.0.1:${host.settings.activationOpsPort}/ready`).catch(() => false));
  while (!(await served())) {
    if (performance.now() > end) throw new Error(`activation does not serve ${DESTINATION}; see its log`);
    await sleep(200);
  }
}

/** Waits until nothing is on its way any more, in Kafka and in ClickHouse, or until nothing changes although it should. */
export async function settleSample(
  sample: Sample,
  progress: Progress,
): Promise<{ readonly findings: Findings; readonly problems: readonly string[]; readonly feed: ProfileFeed }> {
  const { installation, ledger, expected, clickhouse, receiver, state } = sample;
  const { prefix, generation } = installation;
  const collectedTopic = prefix + topics.eventsCollected.name;
  const quiet = (books: Books): boolean =>
    differences(books, { prefix, generation, destinations: [DESTINATION] }).length === 0 &&
    (outcomesOf(books, 'resolver', collectedTopic).stitched ?? 0) >= expected.distinct;

  const books = await whileItChanges(
    () => ledger.read(),
    quiet,
    (now) => {
      const done = takenBy(now, 'projector', prefix + topics.eventsStitched.name);
      const stitched = outcomesOf(now, 'resolver', collectedTopic).stitched ?? 0;
      const delivered = now.deliveries.get('delivered') ?? 0;
      progress.show(
        `stitched ${stitched}, folded ${done} of ${expected.distinct}; delivered ${delivered} of ${expected.deliveries}`,
      );
    },
  );
  progress.show('reading the profiles');
  const feed = await readProfileFeed(installation);
  const warehouse = await whileItChanges(
    () => readWarehouse(clickhouse, DESTINATION).catch(() => undefined),
    (now) => now !== undefined && warehouseDifferences(books, feed.profiles.size, now, prefix).length === 0,
    (now) => progress.show(`ClickHouse has ${now?.events ?? 0} of ${expected.distinct} events`),
  );
  const findings: Findings = {
    expected,
    acknowledged: state.acknowledged ?? 0,
    prefix,
    generation,
    destination: DESTINATION,
    books,
    warehouse: warehouse ?? nothing,
    profiles: feed.profiles.size,
    revenue: revenueOf(feed.profiles.values()),
    unevenVersions: feed.unevenVersions.length,
    received: {
      keys: receiver.seen.size,
      requests: [...receiver.seen.values()].reduce((total, one) => total + one, 0),
      refused: receiver.refused(),
    },
  };
  return { findings, problems: problemsIn(findings), feed };
}

/** What stands in for a ClickHouse that does not answer: everything is missing there. */
const nothing: Warehouse = {
  collected: 0,
  duplicates: 0,
  events: 0,
  profiles: 0,
  refusedLinks: 0,
  rejected: new Map(),
  deliveries: new Map(),
  profileRevenue: new Map(),
  orderRevenue: new Map(),
};

async function whileItChanges<T>(
  look: () => Promise<T>,
  isDone: (seen: T) => boolean,
  tell: (seen: T) => void,
): Promise<T> {
  let before = '';
  let changed = performance.now();
  for (;;) {
    const seen = await look();
    tell(seen);
    if (isDone(seen)) return seen;
    const text = JSON.stringify(seen, (_, value) => (value instanceof Map ? [...value] : value));
    if (text !== before) changed = performance.now();
    if (performance.now() - changed > STILL_MS) return seen;
    before = text;
    await sleep(400);
  }
}

function worthTelling(orders: readonly OrderEvent[], { visits }: ClickStream): number {
  const worth = new Set<string>();
  for (const { messageId, properties } of orders) if (properties.revenue >= WORTH_TELLING) worth.add(messageId);
  for (const { messageId, event, properties } of visits.flat())
    if (event === 'Order Completed' && (properties?.revenue as number) >= WORTH_TELLING) worth.add(messageId);
  return worth.size;
}
