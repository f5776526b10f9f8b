import './mended-kafkajs.ts';
import { readFileSync } from 'node:fs';
import kafkajs, { type KafkaConfig, type SASLOptions } from 'kafkajs';
import type { Values } from '#shared/service/options.ts';
import type { platformOptions } from '#shared/service/platform-options.ts';

export const { Kafka, Partitioners, logLevel, AssignerProtocol } = kafkajs;
export type {
  Admin,
  Consumer,
  Kafka as KafkaClient,
  KafkaMessage,
  PartitionAssigner,
  Producer,
} from 'kafkajs';

type Settings = Pick<
  Values<typeof platformOptions>,
  'kafkaBrokers' | 'kafkaTls' | 'kafkaCaFile' | 'kafkaSaslMechanism' | 'kafkaSaslUsername' | 'kafkaSaslPasswordFile'
>;

/**
 * Clients ask again at short, even intervals: kafkajs sleeps this time wherever a coordinator needs a moment, also after
 * every commit (CONCURRENT_TRANSACTIONS), and its default of 300 ms would be the latency of a transaction.
 */
const retry = { initialRetryTime: 5, factor: 0, multiplier: 1, maxRetryTime: 50, retries: 400 };

/** The Kafka client of this installation. */
export function createKafka(settings: Settings, clientId: string): kafkajs.Kafka {
  const config: KafkaConfig = {
    clientId,
    brokers: [...settings.kafkaBrokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    retry,
  };
  if (settings.kafkaTls)
    config.ssl = settings.kafkaCaFile ? { ca: [readFileSync(settings.kafkaCaFile, 'utf8')] } : true;
  if (settings.kafkaSaslMechanism) {
    config.sasl = {
      mechanism: settings.kafkaSaslMechanism,
      username: settings.kafkaSaslUsername,
      password: readFileSync(settings.kafkaSaslPasswordFile, 'utf8').trim(),
    } as SASLOptions;
  }
  return new Kafka(config);
}
