import { randomBytes } from 'node:crypto';
import { Registry } from 'prom-client';
import { generationsTopic, internalTopics, topics } from '#schemas/topics.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { type Admin, createKafka, type KafkaClient } from '#shared/kafka/client.ts';
import { Codecs } from '#shared/kafka/codec.ts';
import { planOf, provisionTopics } from '#shared/kafka/provision-topics.ts';
import { createLog } from '#shared/service/log.ts';
import { readOptions } from '#shared/service/options.ts';
import { platformOptions } from '#shared/service/platform-options.ts';
import type { TaskHost } from '#shared/task/runner.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Addresses of a running Kafka and registry. */
export interface Addresses {
  readonly brokers: string;
  readonly registryUrl: string;
}

/** A workspace of its own on a shared broker: its prefix keeps it apart from all others. */
export interface Installation {
  readonly prefix: string;
  readonly kafka: KafkaClient;
  readonly admin: Admin;
  readonly codecs: Codecs;
  /** A host for tasks; each call has a state directory of its own, like a process on another machine. */
  host(changes?: Partial<TaskHost>): TaskHost;
  close(): Promise<void>;
}

export function clientsOf({ brokers, registryUrl }: Addresses): { kafka: KafkaClient; codecs: Codecs } {
  const read = readOptions(
    platformOptions,
    { TRIBUTARY_KAFKA_BROKERS: brokers, TRIBUTARY_REGISTRY_URL: registryUrl },
    [],
  );
  if ('errors' in read) throw new Error(read.errors.join('; '));
  return { kafka: createKafka(read.values, 'test'), codecs: new Codecs(registryUrl) };
}

const none = new Definitions();

export async function createInstallation(addresses: Addresses, partitions = 4): Promise<Installation> {
  const prefix = `t${randomBytes(4).toString('hex')}.`;
  const { kafka, codecs } = clientsOf(addresses);
  const admin = kafka.admin();
  await admin.connect();
  await provisionTopics(
    admin,
    [...Object.values(topics), ...internalTopics(1), generationsTopic].map((topic) =>
      planOf(topic, prefix, partitions, 1),
    ),
  );
  return {
    prefix,
    kafka,
    admin,
    codecs,
    host: (changes = {}) => ({
      service: 'test',
      kafka,
      codecs,
      log: createLog('test', process.env.TRIBUTARY_TEST_LOG ?? 'silent'),
      metrics: new Registry(),
      definitions: () => none,
      prefix,
      generation: 1,
      partitions,
      replication: 1,
      dataDirectory: temporaryDirectory(),
      ...changes,
    }),
    close: () => admin.disconnect(),
  };
}
