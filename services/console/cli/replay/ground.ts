import type { Generation } from '#schemas/generated/records.ts';
import { changelogTopic, internalTopics, quietTopics, topics } from '#schemas/topics.ts';
import type { DefinitionsHome } from '#shared/definitions/apply.ts';
import type { Admin } from '#shared/kafka/client.ts';
import { planOf, provisionTopics } from '#shared/kafka/provision-topics.ts';

/** Makes the topics of a generation, and registers their schemas; does only what is missing. */
export async function prepareGround(
  admin: Admin,
  { prefix, codecs }: DefinitionsHome,
  { generation, claims }: Generation,
  booksGeneration: number,
): Promise<void> {
  // Its tasks read topics of all and of their own together: those have as many partitions.
  const { partitions, replication } = await layoutOf(admin, prefix + topics.eventsStitched.name);
  const spoken = [...internalTopics(generation, booksGeneration), ...Object.values(quietTopics(generation))];
  const changelogs = [
    ...(claims === 'rebuilt' ? [changelogTopic(generation, 'reclaim', 1)] : []),
    changelogTopic(generation, 'linker', 1),
    changelogTopic(generation, 'projector', 'many'),
    changelogTopic(generation, 'backfill', 1),
  ];
  const wanted = new Map([...spoken, ...changelogs].map((topic) => [topic.name, topic]));
  await provisionTopics(
    admin,
    [...wanted.values()].map((topic) => planOf(topic, prefix, partitions, replication)),
  );
  for (const topic of spoken) await codecs.ofTopic(prefix + topic.name, topic.value);
}

async function layoutOf(admin: Admin, topic: string): Promise<{ partitions: number; replication: number }> {
  const metadata = await admin.fetchTopicMetadata({ topics: [topic] });
  const partitions = metadata.topics[0]?.partitions ?? [];
  return { partitions: partitions.length, replication: partitions[0]?.replicas.length ?? 1 };
}
