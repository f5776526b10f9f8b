/**
 * After ClickHouse was restored from a back-up: has it read again what came since, from Kafka. Can be run again at any time. Exit code
 * 0: it reads; 1: it reads, and of some records neither has kept anything.
 */
import { clickhouseOptions, clusterOption, createClickHouse } from '#shared/clickhouse/client.ts';
import { createKafka } from '#shared/kafka/client.ts';
import { platformOptions } from '#shared/service/platform-options.ts';
import { settingsOf } from '#shared/service/start-up.ts';
import { readAgain } from './read-again.ts';

const settings = settingsOf('Has a restored ClickHouse read again what came since, from Kafka.', {
  ...platformOptions,
  ...clickhouseOptions,
  ...clusterOption,
});
const admin = createKafka(settings, 'restore').admin();
await admin.connect();
const clickhouse = createClickHouse(settings, 'tributary-restore');
const around = {
  database: settings.clickhouseDatabase,
  brokers: settings.kafkaBrokers.join(','),
  registryUrl: settings.registryUrl,
  prefix: settings.prefix,
  generation: settings.generation,
  cluster: settings.clickhouseCluster,
};
const done = await readAgain(admin, clickhouse, around);
for (const { topic, records, lost } of done) {
  console.log(`${topic}: ${records} records to read`);
  if (lost > 0)
    console.log(
      `! of ${topic} at most ${lost} records came after the back-up and are no longer in Kafka: ClickHouse has lost them`,
    );
}
console.log(
  'ClickHouse reads again: `tributary status` shows how far it is, `tributary doctor` whether the books balance',
);
await clickhouse.close();
// kafkajs now and then leaves a connection open after all its clients were told to disconnect; nothing waits for it.
process.exit(done.some(({ lost }) => lost > 0) ? 1 : 0);
