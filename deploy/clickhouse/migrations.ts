import { createHash } from 'node:crypto';

/** What the placeholders of the SQL files stand for. */
export interface Surroundings {
  readonly database: string;
  /** Kafka's address as ClickHouse sees it. */
  readonly brokers: string;
  /** The registry's Confluent-compatible API as ClickHouse sees it. */
  readonly registryUrl: string;
  readonly prefix: string;
  readonly generation: number;
  /** Name of the cluster, for tables that are replicated; empty on a single server. */
  readonly cluster: string;
}

export interface Migration {
  readonly name: string;
  readonly checksum: string;
  readonly statements: readonly string[];
}

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/**
 * How a table reads a topic: Avro through the registry. A record that cannot be read becomes a row with `_error` and goes to
 * `ingest_errors`; it never stops the table. A registry that does not answer looks the same to ClickHouse once it has given up, so
 * it is made to try for as long as it can, more than two minutes.
 */
const kafkaEngine = (topic: string, around: Surroundings): string =>
  `Kafka SETTINGS ${[
    `kafka_broker_list = ${quoted(around.brokers)}`,
    `kafka_topic_list = ${quoted(around.prefix + topic)}`,
    `kafka_group_name = ${quoted(`${around.prefix}clickhouse.${topic}`)}`,
    `kafka_format = 'AvroConfluent'`,
    `format_avro_schema_registry_url = ${quoted(around.registryUrl)}`,
    `format_avro_schema_registry_max_retries = 20`,
    `format_avro_schema_registry_connection_timeout = 10`,
    `format_avro_schema_registry_receive_timeout = 10`,
    `input_format_avro_allow_missing_fields = 1`,
    `kafka_handle_error_mode = 'stream'`,
    `kafka_flush_interval_ms = 500`,
    `kafka_poll_timeout_ms = 100`,
    `kafka_max_block_size = 65536`,
  ].join(', ')}`;

/** A file's text with everything in the place of its placeholders. */
export function filledIn(text: string, around: Surroundings): string {
  const replicated = around.cluster ? 'Replicated' : '';
  return text
    .replaceAll('{generation}', String(around.generation))
    .replaceAll('{database}', around.database)
    .replaceAll('{on_cluster}', around.cluster ? `ON CLUSTER ${quoted(around.cluster)}` : '')
    .replaceAll('{replacing}', `${replicated}ReplacingMergeTree`)
    .replace(/\{replacing\((\w+)\)\}/g, (_, version: string) => `${replicated}ReplacingMergeTree(${version})`)
    .replace(/\{kafka:([^}]+)\}/g, (_, topic: string) => kafkaEngine(topic, around));
}

/**
 * The statements of a file: each ends in a semicolon at the end of a line. What is made is made if it is not there, since a run that
 * is killed before it has noted a statement repeats it. What alters says so itself.
 */
export const statementsOf = (text: string): string[] =>
  text
    .split(/;\s*\n/)
    .map((statement) => statement.replace(/^\s*--.*$/gm, '').trim())
    .filter(Boolean)
    .map((statement) =>
      statement.replace(
        /^CREATE (DATABASE|TABLE|VIEW|MATERIALIZED VIEW) (?!IF NOT EXISTS)/,
        'CREATE $1 IF NOT EXISTS ',
      ),
    );

export const migrationOf = (name: string, text: string, around: Surroundings): Migration => ({
  name,
  checksum: createHash('sha256').update(text).digest('hex').slice(0, 16),
  statements: statementsOf(`${filledIn(text, around)}\n`),
});

/**
 * What is left to do. Files are only ever added: one that was applied must be as it was.
 * @throws Error naming a file that was changed, or is gone
 */
export function toApply(migrations: readonly Migration[], applied: ReadonlyMap<string, string>): Migration[] {
  for (const [name, checksum] of applied) {
    const file = migrations.find((migration) => migration.name === name);
    if (!file) throw new Error(`migration ${name} was applied, but its file is gone`);
    if (file.checksum !== checksum)
      throw new Error(`migration ${name} was applied and then changed: add a new file instead`);
  }
  return migrations.filter(({ name }) => !applied.has(name));
}
