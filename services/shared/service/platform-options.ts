import { count, flag, list, port, text } from './options.ts';

/** What every process needs: where Kafka and the registry are, and what this installation is called. */
export const platformOptions = {
  kafkaBrokers: list('KAFKA_BROKERS', 'Kafka bootstrap servers, separated by commas', '127.0.0.1:9092'),
  kafkaTls: flag('KAFKA_TLS', 'Connect to Kafka with TLS', 'false'),
  kafkaCaFile: text('KAFKA_CA_FILE', 'PEM file of the authority that signed the brokers’ certificates', ''),
  kafkaSaslMechanism: text('KAFKA_SASL_MECHANISM', 'plain, scram-sha-256 or scram-sha-512', ''),
  kafkaSaslUsername: text('KAFKA_SASL_USERNAME', 'SASL user name', ''),
  kafkaSaslPasswordFile: text('KAFKA_SASL_PASSWORD_FILE', 'File with the SASL password', ''),
  registryUrl: text('REGISTRY_URL', 'Schema registry with Confluent’s API', 'http://127.0.0.1:8081/apis/ccompat/v7'),
  prefix: text('PREFIX', 'Prefix of all topics and groups of this installation', 'tributary.'),
  generation: count('GENERATION', 'Generation of the internal topics, groups and state folders', '1'),
  partitions: count('PARTITIONS', 'Partitions of a topic when it is created', '4'),
  replication: count('REPLICATION', 'Replicas of a topic when it is created', '1'),
  dataDirectory: text('DATA', 'Directory of all local state', '.tributary'),
  secretFile: text('SECRET_FILE', 'File with the installation’s secret (hexadecimal); DATA/secret when empty', ''),
  logLevel: text('LOG_LEVEL', 'trace, debug, info, warn, error', 'info'),
} as const;

/** The operations port: readiness, liveness and metrics. */
export const opsPort = (service: string, fallback: string) =>
  port('OPS_PORT', `Port of ${service} for /health, /ready and /metrics`, fallback);
export const opsHost = text('OPS_HOST', 'Address that the operations port is bound to', '127.0.0.1');
