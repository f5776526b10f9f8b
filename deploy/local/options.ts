import { resolve } from 'node:path';
import { count, flag, list, port, text, type Values } from '#shared/service/options.ts';

/** Settings of the local platform. A part whose address is given is used as it is, not started. */
export const localOptions = {
  data: text('DATA', 'Directory of all data, logs and secrets', '.tributary'),
  collectorPort: port('COLLECTOR_PORT', 'Port of the collector', '8080'),
  apiPort: port('API_PORT', 'Port of the web console and the read API', '8090'),
  clickhousePort: port('CLICKHOUSE_PORT', 'Port of ClickHouse’s HTTP interface', '8123'),
  kafkaPort: port('KAFKA_PORT', 'Port of the Kafka broker', '9092'),
  kafkaControllerPort: port('KAFKA_CONTROLLER_PORT', 'Port of Kafka’s controller', '9093'),
  registryPort: port('REGISTRY_PORT', 'Port of the schema registry', '8081'),
  stitcherOpsPort: port('STITCHER_OPS_PORT', 'Operations port of the identity-stitcher', '9101'),
  projectorOpsPort: port('PROJECTOR_OPS_PORT', 'Operations port of the profile-projector', '9102'),
  activationOpsPort: port('ACTIVATION_OPS_PORT', 'Operations port of activation', '9103'),
  kafkaHeapMb: count('KAFKA_HEAP_MB', 'Largest Java heap of Kafka, megabytes', '512'),

  kafkaBrokers: list('KAFKA_BROKERS', 'Address of a real Kafka, instead of starting one', ''),
  kafkaTls: flag('KAFKA_TLS', 'Connect to that Kafka with TLS', 'false'),
  kafkaCaFile: text('KAFKA_CA_FILE', 'PEM file of the authority that signed its certificates', ''),
  kafkaSaslMechanism: text('KAFKA_SASL_MECHANISM', 'plain, scram-sha-256 or scram-sha-512', ''),
  kafkaSaslUsername: text('KAFKA_SASL_USERNAME', 'SASL user name', ''),
  kafkaSaslPasswordFile: text('KAFKA_SASL_PASSWORD_FILE', 'File with the SASL password', ''),
  registryUrl: text('REGISTRY_URL', 'Address of a real schema registry, instead of starting one', ''),
  clickhouseUrl: text('CLICKHOUSE_URL', 'Address of a real ClickHouse, instead of starting one', ''),
  clickhouseUser: text('CLICKHOUSE_USER', 'Its user', 'default'),
  clickhousePasswordFile: text(
    'CLICKHOUSE_PASSWORD_FILE',
    'File with its password; DATA/clickhouse-password when empty',
    '',
  ),
  clickhouseRegistryUrl: text(
    'CLICKHOUSE_REGISTRY_URL',
    'The registry as ClickHouse reaches it, when that differs',
    '',
  ),
  platformCache: text('PLATFORM_CACHE', 'Where the fetched jars are kept', '.tributary-platform'),
} as const;

/** The root of the checkout. */
export const root = resolve(import.meta.dirname, '..', '..');
export type Settings = Values<typeof localOptions>;
