import { setTimeout as sleep } from 'node:timers/promises';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { topics } from '#schemas/topics.ts';
import { readPartitions } from '#shared/kafka/read-partitions.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import type { Ground, StartedService } from './ground.ts';
import { cpuSince, generateLoad } from './processes.ts';
import { quantile } from './quantile.ts';

export interface RiverFigures {
  readonly events: number;
  /** Seconds until all of them were acknowledged, folded into profiles, and rows in ClickHouse. */
  readonly acknowledged: number;
  readonly projected: number;
  readonly inClickHouse: number;
  /** Until the last row was in ClickHouse. */
  readonly eventsPerSecond: number;
  readonly profileVersions: number;
  /** Microseconds an event, by process. */
  readonly cpu: Readonly<Record<string, number>>;
}

export interface LatencyFigures {
  readonly rate: number;
  readonly events: number;
  /** Events that were answered and of which no version on the feed spoke within the time. */
  readonly missing: number;
  /** Milliseconds from the HTTP answer to the profile's version in a reader's hands. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** Milliseconds of the HTTP answer itself. */
  readonly answer: { readonly p50: number; readonly p95: number; readonly p99: number };
}

/** Everything from HTTP to ClickHouse, running. */
export interface River {
  readonly ground: Ground;
  readonly collector: StartedService;
  readonly stitcher: StartedService;
  readonly projector: StartedService;
  readonly clickhouse: ClickHouseClient;
}

const INPUTS = 'tributary_task_inputs_total';
const OUTPUTS = 'tributary_task_outputs_total';
const PATIENCE_MS = 180_000;

export async function openRiver(ground: Ground): Promise<River> {
  await ground.attachClickHouse();
  const [collector, stitcher, projector] = await Promise.all([
    ground.start('collector'),
    ground.start('identity-stitcher'),
    ground.start('profile-projector'),
  ]);
  const { clickhouseUrl, clickhousePassword } = ground.platform;
  const clickhouse = createClient({
    url: clickhouseUrl,
    username: 'default',
    password: clickhousePassword,
    database: ground.database,
  });
  return { ground, collector, stitcher, projector, clickhouse };
}

/** As many events as the collector takes, until the last of them is a row in ClickHouse. */
export async function benchRiver(
  river: River,
  pids: Readonly<Record<string, number>>,
  { events, warmUpEvents }: { readonly events: number; readonly warmUpEvents: number },
): Promise<RiverFigures> {
  const { ground, collector, stitcher, projector } = river;
  const rows = (): Promise<number> => ask(river, 'SELECT count() AS number FROM events_log');
  // What ceases to exist has a last value and a tombstone, which ClickHouse does not see.
  const versionRows = (): Promise<number> =>
    ask(river, 'SELECT count() + countIf(gone) AS number FROM profile_versions');
  const warmUp = await load(ground, 'warm', warmUpEvents, 1);
  await wait(
    async () =>
      (await rows()) >= warmUp.accepted && (await projector.metric(INPUTS, 'input="event"')) >= warmUp.accepted,
  );

  const versionsBefore = await projector.metric(OUTPUTS, 'output="profile"');
  const services = { collector: collector.pid, stitcher: stitcher.pid, projector: projector.pid };
  const used = cpuSince({ ...pids, ...services });
  const began = performance.now();
  const since = (): number => (performance.now() - began) / 1_000;
  let acknowledged = 0;
  const loading = load(ground, 'river', events, 10_000_000).then((report) => {
    acknowledged = since();
    return report;
  });
  const report = await loading;
  const total = warmUp.accepted + report.accepted;
  let projected = 0;
  await wait(async () => {
    if (projected === 0 && (await projector.metric(INPUTS, 'input="event"')) >= total) projected = since();
    return projected > 0 && (await rows()) >= total;
  });
  const versions = await projector.metric(OUTPUTS, 'output="profile"');
  await wait(async () => (await versionRows()) >= versions);
  const inClickHouse = since();
  const cpu = Object.fromEntries(Object.entries(used()).map(([name, spent]) => [name, spent / report.accepted]));
  return {
    events: report.accepted,
    acknowledged,
    projected,
    inClickHouse,
    eventsPerSecond: report.accepted / inClickHouse,
    profileVersions: versions - versionsBefore,
    cpu: { 'load generator': report.cpu / report.accepted, ...cpu },
  };
}

/** A steady stream of single events: how long from the answer to the version on the feed. */
export async function benchLatency(
  { ground }: River,
  { rate, seconds, name = 'latency' }: { readonly rate: number; readonly seconds: number; readonly name?: string },
): Promise<LatencyFigures> {
  const { kafka, admin, codecs, prefix } = ground.installation;
  const topic = prefix + topics.profiles.name;
  const codec = await codecs.ofTopic(topic, topics.profiles.value);
  const ends = await topicOffsets(admin, topic);
  const seen = new Map<string, number>();
  const reader = await readPartitions(kafka, [topic], {
    from: new Map(ends.map(({ partition, high }) => [`${topic}/${partition}`, high])),
    onLost: (error) => {
      throw error;
    },
    onBatch: async ({ messages }) => {
      const at = Number(process.hrtime.bigint()) / 1e6;
      await codec.prepare(messages.map(({ value }) => value));
      for (const { value } of messages)
        if (value) for (const id of codec.decode(value).causes) if (!seen.has(id)) seen.set(id, at);
    },
  });
  const { answered = [], ...report } = await generateLoad({
    port: ground.platform.platform.settings.collectorPort,
    connections: 64,
    batch: 1,
    name,
    firstPerson: 20_000_000,
    warmUpSeconds: 3,
    seconds,
    rate,
    log: true,
  });
  const end = performance.now() + 10_000;
  while (performance.now() < end && answered.some(([id]) => !seen.has(id))) await sleep(100);
  await reader.stop();
  const delays = answered
    .flatMap(([id, at]) => {
      const arrived = seen.get(id);
      return arrived === undefined ? [] : [Math.max(0, arrived - at)];
    })
    .sort((a, b) => a - b);
  return {
    rate,
    events: answered.length,
    missing: answered.length - delays.length,
    p50: quantile(delays, 0.5),
    p95: quantile(delays, 0.95),
    p99: quantile(delays, 0.99),
    answer: { p50: report.p50, p95: report.p95, p99: report.p99 },
  };
}

const load = (ground: Ground, name: string, events: number, firstPerson: number) =>
  generateLoad({
    port: ground.platform.platform.settings.collectorPort,
    connections: 64,
    batch: 20,
    name,
    firstPerson,
    warmUpSeconds: 0,
    events,
  });

async function ask({ clickhouse }: River, query: string): Promise<number> {
  const result = await clickhouse.query({ query, format: 'JSONEachRow' });
  return Number((await result.json<{ number: string }>())[0]?.number ?? 0);
}

async function wait(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`the river is not through within ${PATIENCE_MS} ms`);
    await sleep(100);
  }
}
