import type { Topic } from '#schemas/topics.ts';
import { BackOff } from '#shared/service/back-off.ts';
import type { Admin } from './client.ts';

/** How a topic of the catalogue is made. */
export interface TopicPlan {
  readonly topic: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly configEntries: { readonly name: string; readonly value: string }[];
}

/** How long a compacted topic keeps tombstones: longer than any local state may lie unused before it is thrown away. */
export const TOMBSTONE_RETENTION_MS = 7 * 86_400_000;

export function planOf(topic: Topic, prefix: string, partitions: number, replication: number): TopicPlan {
  const configEntries =
    topic.cleanup === 'delete'
      ? [
          { name: 'cleanup.policy', value: 'delete' },
          { name: 'retention.ms', value: String(topic.retention) },
        ]
      : [
          { name: 'cleanup.policy', value: 'compact' },
          { name: 'min.compaction.lag.ms', value: String(topic.retention) },
          { name: 'delete.retention.ms', value: String(TOMBSTONE_RETENTION_MS) },
        ];
  if (topic.time === 'written') configEntries.push({ name: 'message.timestamp.type', value: 'LogAppendTime' });
  if (replication > 2) configEntries.push({ name: 'min.insync.replicas', value: String(replication - 1) });
  return {
    topic: prefix + topic.name,
    numPartitions: topic.partitions === 'many' ? partitions : topic.partitions,
    replicationFactor: replication,
    configEntries,
  };
}

/** Creates what is missing, and waits until it can be used. Topics that are there stay as they are. @returns the names of those it made. */
export async function provisionTopics(admin: Admin, plans: readonly TopicPlan[]): Promise<string[]> {
  const existing = new Set(await admin.listTopics());
  const missing = plans.filter((plan) => !existing.has(plan.topic));
  if (missing.length === 0) return [];
  const made = missing.map((plan) => plan.topic);
  // kafkajs' own waiting for leaders gives up where a broker has not heard of the topic yet.
  await admin.createTopics({
    waitForLeaders: false,
    topics: missing.map((plan) => ({ ...plan, configEntries: [...plan.configEntries] })),
  });
  const backOff = new BackOff(20, 500);
  while (!(await haveLeaders(admin, made))) await backOff.failed();
  return made;
}

async function haveLeaders(admin: Admin, topics: string[]): Promise<boolean> {
  try {
    const metadata = await admin.fetchTopicMetadata({ topics });
    return metadata.topics.every(
      ({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0),
    );
  } catch (error) {
    if ((error as { retriable?: boolean }).retriable) return false;
    throw error;
  }
}
