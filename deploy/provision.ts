/**
 * Makes an installation ready for its services: topics, schemas, ClickHouse tables, first definitions. Can be run again at any
 * time; does only what is missing. Exit code 0: ready.
 */
import { accountingTopic, changelogTopic, movesTopic, topics } from '#schemas/topics.ts';
import { createKafka } from '#shared/kafka/client.ts';
import { Codecs } from '#shared/kafka/codec.ts';
import { planOf, provisionTopics } from '#shared/kafka/provision-topics.ts';
import { platformOptions } from '#shared/service/platform-options.ts';
import { settingsOf } from '#shared/service/start-up.ts';

const settings = settingsOf('Makes topics, schemas, tables and first definitions. Can be run again.', platformOptions);
const kafka = createKafka(settings, 'provision');
const admin = kafka.admin();
await admin.connect();

const { generation, prefix, partitions, replication } = settings;
const wanted = [
  ...Object.values(topics),
  movesTopic(generation),
  accountingTopic(generation),
  changelogTopic(generation, 'resolver', 'many'),
  changelogTopic(generation, 'linker', 1),
  changelogTopic(generation, 'projector', 'many'),
];
const made = await provisionTopics(
  admin,
  wanted.map((topic) => planOf(topic, prefix, partitions, replication)),
);
console.log(`topics: ${made.length} made, ${wanted.length - made.length} were there`);

const codecs = new Codecs(settings.registryUrl);
for (const topic of [...Object.values(topics), movesTopic(generation), accountingTopic(generation)])
  await codecs.ofTopic(prefix + topic.name, topic.value);
console.log(`schemas: ${Object.keys(topics).length + 2} registered`);
await admin.disconnect();
