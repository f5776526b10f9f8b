import { spawn } from 'node:child_process';
import { topics } from '#schemas/topics.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import type { BareLoopOptions } from './bare-loop.ts';
import type { Ground } from './ground.ts';
import { cpuSince, generateLoad, stopProcess } from './processes.ts';

/** One row: so many connections, so many events in a request, against the collector or the bare loop. */
export interface CollectorFigures {
  readonly what: 'collector' | 'bare loop';
  readonly batch: number;
  readonly connections: number;
  readonly requestsPerSecond: number;
  readonly eventsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Microseconds an event: the process, the broker, and the load generator, which is not counted in. */
  readonly cpu: { readonly process: number; readonly kafka: number; readonly load: number };
  readonly refused: number;
}

/** Size of a record as the collector writes the events of `requests.ts`, bytes. */
const RECORD_BYTES = 900;

export async function benchCollector(
  ground: Ground,
  kafkaPid: number,
  { seconds, warmUpSeconds }: { readonly seconds: number; readonly warmUpSeconds: number },
): Promise<CollectorFigures[]> {
  const collector = await ground.start('collector');
  const bare = await startBareLoop(ground);
  const sides = [
    { what: 'bare loop', pid: bare.pid, port: bare.port },
    { what: 'collector', pid: collector.pid, port: ground.platform.platform.settings.collectorPort },
  ] as const;
  const figures: CollectorFigures[] = [];
  for (const batch of [1, 20]) {
    for (const connections of [64, 256]) {
      for (const { what, pid, port } of sides) {
        let used: () => Record<string, number> = () => ({});
        let cpu: Record<string, number> = {};
        const report = await generateLoad(
          {
            port,
            connections,
            batch,
            name: `${what.slice(0, 1)}${batch}x${connections}`,
            firstPerson: (figures.length + 1) * 10_000_000,
            warmUpSeconds,
            seconds,
          },
          {
            begin: () => {
              used = cpuSince({ process: pid, kafka: kafkaPid });
            },
            end: () => {
              cpu = used();
            },
          },
        );
        const events = report.requests * batch;
        figures.push({
          what,
          batch,
          connections,
          requestsPerSecond: report.requests / report.seconds,
          eventsPerSecond: events / report.seconds,
          p50: report.p50,
          p99: report.p99,
          cpu: {
            process: (cpu.process ?? Number.NaN) / events,
            kafka: (cpu.kafka ?? Number.NaN) / events,
            load: report.cpu / events,
          },
          refused: report.refused,
        });
      }
    }
  }
  await collector.stop();
  await stopProcess(bare.child);
  return figures;
}

async function startBareLoop({ platform, installation }: Ground) {
  const topic = `${installation.prefix}bare`;
  // The same number of partitions as the collector writes to.
  const collected = installation.prefix + topics.eventsCollected.name;
  const numPartitions = (await topicOffsets(installation.admin, collected)).length;
  await installation.admin.createTopics({
    topics: [{ topic, numPartitions, replicationFactor: 1 }],
    waitForLeaders: true,
  });
  const options: BareLoopOptions = { brokers: platform.brokers, topic, recordBytes: RECORD_BYTES };
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
