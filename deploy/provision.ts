/**
 * Makes an installation ready for its services: topics, schemas, ClickHouse tables, first definitions. Can be run again at any
 * time; does only what is missing. Exit code 0: ready.
 */
import { readFileSync } from 'node:fs';
import { changelogTopic, generationsTopic, internalTopics, topics } from '#schemas/topics.ts';
import { clickhouseOptions, clusterOption, createClickHouse } from '#shared/clickhouse/client.ts';
import { applyDefinitions, readDefinitions } from '#shared/definitions/apply.ts';
import { validateDefinitions } from '#shared/definitions/validate.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { createKafka } from '#shared/kafka/client.ts';
import { Codecs } from '#shared/kafka/codec.ts';
import { planOf, provisionTopics } from '#shared/kafka/provision-topics.ts';
import { requireCompatibility } from '#shared/kafka/require-compatibility.ts';
import { count, flag, text } from '#shared/service/options.ts';
import { platformOptions } from '#shared/service/platform-options.ts';
import { readSecret, settingsOf } from '#shared/service/start-up.ts';
import { keepEvents, migrate } from './clickhouse/migrate.ts';
import { isKafkaNew, putBack } from './restore/put-back.ts';

const options = {
  ...platformOptions,
  ...clickhouseOptions,
  ...clusterOption,
  clickhouseBrokers: text('CLICKHOUSE_BROKERS', 'Kafka as ClickHouse reaches it; KAFKA_BROKERS when empty', ''),
  clickhouseRegistryUrl: text(
    'CLICKHOUSE_REGISTRY_URL',
    'Registry as ClickHouse reaches it (Confluent API, version 6)',
    'http://127.0.0.1:8081/apis/ccompat/v6',
  ),
  eventLogDays: count('EVENT_LOG_DAYS', 'Days that ClickHouse keeps an event; 0: for ever', '0'),
  restoreKafka: flag(
    'RESTORE_KAFKA',
    'Put back into a Kafka that is new what ClickHouse has of the one before',
    'false',
  ),
  firstDefinitions: text('FIRST_DEFINITIONS', 'File of definitions for an installation that has none', ''),
} as const;

const settings = settingsOf('Makes topics, schemas, tables and first definitions. Can be run again.', options);
const kafka = createKafka(settings, 'provision');
const admin = kafka.admin();
await admin.connect();

const { generation, prefix, partitions, replication } = settings;
const wanted = [
  ...Object.values(topics),
  ...internalTopics(generation),
  generationsTopic,
  changelogTopic(generation, 'resolver', 'many'),
  changelogTopic(generation, 'linker', 1),
  changelogTopic(generation, 'projector', 'many'),
  changelogTopic(generation, 'backfill', 1),
];
const made = await provisionTopics(
  admin,
  wanted.map((topic) => planOf(topic, prefix, partitions, replication)),
);
console.log(`topics: ${made.length} made, ${wanted.length - made.length} were there`);

await requireCompatibility(settings.registryUrl);
const codecs = new Codecs(settings.registryUrl);
const registered = [...Object.values(topics), ...internalTopics(generation), generationsTopic];
for (const topic of registered) await codecs.ofTopic(prefix + topic.name, topic.value);
console.log(`schemas: ${registered.length} registered`);

const clickhouse = createClickHouse(settings, 'tributary-provision');
const around = {
  database: settings.clickhouseDatabase,
  brokers: settings.clickhouseBrokers || settings.kafkaBrokers.join(','),
  registryUrl: settings.clickhouseRegistryUrl,
  prefix,
  generation,
  cluster: settings.clickhouseCluster,
};
const migrated = await migrate(clickhouse, around);
if (await keepEvents(clickhouse, around, settings.eventLogDays)) migrated.push('the event log’s retention');
console.log(`tables: ${migrated.length === 0 ? 'up to date' : migrated.join(', ')}`);
if (await isKafkaNew({ admin, clickhouse, around })) {
  if (!settings.restoreKafka) {
    console.error(
      'This Kafka has nothing of the installation whose events ClickHouse holds: it is another one, or what it held was lost. Nothing may run on it. TRIBUTARY_RESTORE_KAFKA=true puts back what ClickHouse has: docs/restore.md',
    );
    process.exit(2);
  }
  const say = (line: string): void => console.log(line);
  const hashing = hashingWith(readSecret(settings));
  await putBack({ kafka, admin, codecs, clickhouse, around, partitions, replication, hashing, say });
}
await clickhouse.close();
await admin.disconnect();

const home = { kafka, codecs, prefix, partitions, replication };
if (settings.firstDefinitions && (await readDefinitions(home)).size === 0) {
  const first = validateDefinitions(readFileSync(settings.firstDefinitions, 'utf8'), settings.firstDefinitions);
  if ('errors' in first) throw new Error(first.errors.join('\n'));
  await applyDefinitions(home, first.definitions, { actor: 'provision', reason: 'new installation', at: Date.now() });
  console.log(`definitions: ${first.definitions.length} made`);
}
// kafkajs now and then leaves a connection open after all its clients were told to disconnect; nothing waits for it.
process.exit(0);
