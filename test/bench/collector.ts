import { spawn } from 'node:child_process';
import { topics } from '#schemas/topics.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import type { BareLoopOptions } from './bare-loop.ts';
import type { Ground } from './ground.ts';
import type { LoadOptions, LoadReport } from './load.ts';
import { cpuSince, generateLoad, stopProcess } from './processes.ts';
import { quantile } from './quantile.ts';

type Side = 'bare loop' | 'bare loop, mended' | 'collector';

/** One row: so many connections, so many events in a request, against the collector or a bare loop. Medians of the rounds. */
export interface CollectorFigures {
  readonly what: Side;
  readonly batch: number;
  readonly connections: number;
  /** Events a second that were due, whatever the answers did; undefined: each connection asked as soon as it was answered. */
  readonly rate?: number;
  readonly requestsPerSecond: number;
  readonly eventsPerSecond: number;
  /** Milliseconds from the request, or from when it was due, to the answer. */
  readonly p50: number;
  readonly p99: number;
  /** Microseconds an event: the process, the broker, and the load generator, which is not counted in. */
  readonly cpu: { readonly process: number; readonly kafka: number; readonly load: number };
  /** Of the bare loop in the same round: the CPU of the process, and together with the broker's. */
  readonly ofBare: { readonly process: number; readonly all: number };
  readonly refused: number;
}

/** Size of a record as the collector writes the events of `requests.ts`, bytes. */
const RECORD_BYTES = 1_400;

interface Times {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
}
type Setting = Pick<LoadOptions, 'batch' | 'connections' | 'rate'>;
const settings: readonly Setting[] = [
  { batch: 1, connections: 64 },
  { batch: 1, connections: 256 },
  { batch: 20, connections: 64 },
  { batch: 20, connections: 256 },
  { batch: 1, connections: 64, rate: 2_000 },
];

/** The collector and the bare loops in turn, round by round: so that what the machine does besides meets all of them. Warm before. */
export async function benchCollector(ground: Ground, kafkaPid: number, times: Times): Promise<CollectorFigures[]> {
  const collector = await ground.start('collector');
  const bare = await startBareLoop(ground, false);
  const mended = await startBareLoop(ground, true);
  const sides = [
    { what: 'bare loop', pid: bare.pid, port: bare.port },
    { what: 'bare loop, mended', pid: mended.pid, port: mended.port },
    { what: 'collector', pid: collector.pid, port: ground.platform.platform.settings.collectorPort },
  ] as const;
  const figures: CollectorFigures[] = [];
  let runs = 0;
  for (const batch of [1, 20])
    for (const side of sides) await measure(side, { batch, connections: 64 }, ++runs, kafkaPid, times);
  for (const setting of settings) {
    const rounds: CollectorFigures[][] = [];
    for (let round = 0; round < times.rounds; round++) {
      const figuresOfRound: CollectorFigures[] = [];
      for (const side of sides) {
        const measured = await measure(side, setting, ++runs, kafkaPid, times);
        figuresOfRound.push(figuresOf(side.what, setting, measured, figuresOfRound[0]));
      }
      rounds.push(figuresOfRound);
    }
    for (const side of sides.keys()) figures.push(medianOf(rounds.map((round) => round[side] as CollectorFigures)));
  }
  await collector.stop();
  await Promise.all([bare, mended].map(({ child }) => stopProcess(child)));
  return figures;
}

interface Measured {
  readonly report: LoadReport;
  readonly cpu: Readonly<Record<string, number>>;
}

async function measure(
  { pid, port }: { readonly pid: number; readonly port: number },
  setting: Setting,
  run: number,
  kafkaPid: number,
  { seconds, warmUpSeconds }: Times,
): Promise<Measured> {
  let used: () => Record<string, number> = () => ({});
  let cpu: Record<string, number> = {};
  const options = { ...setting, port, name: `run-${run}`, firstPerson: run * 10_000_000, warmUpSeconds, seconds };
  const report = await generateLoad(options, {
    begin: () => {
      used = cpuSince({ process: pid, kafka: kafkaPid });
    },
    end: () => {
      cpu = used();
    },
  });
  return { report, cpu };
}

function figuresOf(
  what: Side,
  setting: Setting,
  { report, cpu }: Measured,
  bare: CollectorFigures | undefined,
): CollectorFigures {
  const events = report.requests * setting.batch;
  const process = (cpu.process ?? Number.NaN) / events;
  const kafka = (cpu.kafka ?? Number.NaN) / events;
  return {
    what,
    ...setting,
    requestsPerSecond: report.requests / report.seconds,
    eventsPerSecond: events / report.seconds,
    p50: report.p50,
    p99: report.p99,
    cpu: { process, kafka, load: report.cpu / events },
    ofBare: bare
      ? { process: process / bare.cpu.process, all: (process + kafka) / (bare.cpu.process + bare.cpu.kafka) }
      : { process: 1, all: 1 },
    refused: report.refused,
  };
}

function medianOf(rounds: readonly CollectorFigures[]): CollectorFigures {
  const median = (of: (one: CollectorFigures) => number): number =>
    quantile(
      rounds.map(of).sort((a, b) => a - b),
      0.5,
    );
  return {
    ...(rounds[0] as CollectorFigures),
    requestsPerSecond: median((one) => one.requestsPerSecond),
    eventsPerSecond: median((one) => one.eventsPerSecond),
    p50: median((one) => one.p50),
    p99: median((one) => one.p99),
    cpu: {
      process: median(({ cpu }) => cpu.process),
      kafka: median(({ cpu }) => cpu.kafka),
      load: median(({ cpu }) => cpu.load),
    },
    ofBare: { process: median(({ ofBare }) => ofBare.process), all: median(({ ofBare }) => ofBare.all) },
    refused: rounds.reduce((sum, { refused }) => sum + refused, 0),
  };
}

async function startBareLoop({ platform, installation }: Ground, mended: boolean) {
  const topic = `${installation.prefix}bare${mended ? '-mended' : ''}`;
  // The same number of partitions as the collector writes to.
  const collected = installation.prefix + topics.eventsCollected.name;
  const numPartitions = (await topicOffsets(installation.admin, collected)).length;
  await installation.admin.createTopics({
    topics: [{ topic, numPartitions, replicationFactor: 1 }],
    waitForLeaders: true,
  });
  const options: BareLoopOptions = { brokers: platform.brokers, topic, recordBytes: RECORD_BYTES, mended };
  const script = new URL('./bare-loop.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.on('data', (data) => {
      const found = /READY (\d+)/.exec(String(data));
      if (found) resolve(Number(found[1]));
    });
    child.once('exit', (code) => reject(new Error(`the bare loop ended with ${code}`)));
  });
  return { child, port, pid: child.pid as number };
}
