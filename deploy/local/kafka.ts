import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { NotPossible } from './not-possible.ts';
import { answersKafka } from './probes.ts';
import type { Unit } from './unit.ts';

export interface KafkaOptions {
  readonly java: string;
  readonly jars: string;
  readonly directory: string;
  readonly port: number;
  readonly controllerPort: number;
  /** Largest Java heap, megabytes. */
  readonly heapMb: number;
}

/** Apache Kafka as one KRaft node, broker and controller at once, on loopback. */
export function kafkaUnit(options: KafkaOptions): Unit {
  const classPath = join(options.jars, 'kafka', '*');
  // Without the optimising compiler, which takes most of a core for a minute or two after each start, and the latency with it.
  const quick = ['-Xshare:auto', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'];
  const jvm = [
    '-Xms64m',
    `-Xmx${options.heapMb}m`,
    ...quick,
    '-XX:+ExitOnOutOfMemoryError',
    '-Djava.awt.headless=true',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS',
  ];
  return {
    name: 'kafka',
    kind: 'service',
    dependsOn: [],
    ports: [
      { port: options.port, setting: 'TRIBUTARY_KAFKA_PORT' },
      { port: options.controllerPort, setting: 'TRIBUTARY_KAFKA_CONTROLLER_PORT' },
    ],
    stopSignal: 'SIGTERM',
    stopGraceMs: 20_000,
    startLimitMs: 120_000,
    ready: () => answersKafka('127.0.0.1', options.port),
    command: async () => {
      const properties = join(options.directory, 'server.properties');
      const data = join(options.directory, 'data');
      mkdirSync(data, { recursive: true });
      writeFileSync(properties, serverProperties(options, data));
      const writtenBy = join(options.directory, 'written-by');
      const isFormatted = existsSync(join(data, 'meta.properties'));
      if (isFormatted && !existsSync(writtenBy))
        throw new NotPossible(
          `${options.directory} was written by Kafka 4.3, which loses sight of records (docs/operations.md, "Which Kafka") and cannot be read by the one of now: start with --data and another directory`,
        );
      if (!isFormatted) {
        writeFileSync(writtenBy, 'Kafka 4.2\n');
        const clusterId = randomBytes(16).toString('base64url');
        const format = ['kafka.tools.StorageTool', 'format', '--ignore-formatted', '-t', clusterId, '-c', properties];
        await promisify(execFile)(options.java, ['-Xmx96m', ...quick, '-cp', classPath, ...format]).catch((error) => {
          const { code, signal, stdout, stderr } = error;
          const said = `${stdout}${stderr}`.trim().slice(-500);
          throw new Error(`Kafka's storage cannot be formatted (${signal ?? `exit code ${code}`}): ${said}`, {
            cause: error,
          });
        });
      }
      return { program: options.java, args: [...jvm, '-cp', classPath, 'kafka.Kafka', properties] };
    },
  };
}

function serverProperties({ port, controllerPort }: KafkaOptions, data: string): string {
  const properties: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': data,
    // Topics come from the catalogue; a typing error must not make one.
    'auto.create.topics.enable': false,
    // One node: nothing is replicated, nobody is waited for.
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // A platform that rested for months goes on where it was.
    'offsets.retention.minutes': 525_600,
    // A dead transaction hides later commits until it is found.
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1_000,
    // After a kill -9 the broker's old registration is dropped as soon as this has passed.
    'broker.session.timeout.ms': 2_000,
    'broker.heartbeat.interval.ms': 400,
    // Little memory, few threads.
    'log.cleaner.dedupe.buffer.size': 8 * 1024 * 1024,
    'log.cleaner.io.buffer.size': 128 * 1024,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'num.recovery.threads.per.data.dir': 2,
    'background.threads': 2,
    'group.coordinator.threads': 1,
    'share.coordinator.threads': 1,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value.replaceAll('\\', '\\\\') : value}\n`)
    .join('');
}
