import { askedAgain } from '#shared/kafka/asked-again.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import type { Connections } from './connections.ts';

/** How far a consumer group is behind the end of a topic. */
export interface Lag {
  readonly group: string;
  readonly topic: string;
  /** Offsets to go, over all partitions; markers of transactions count, so that a group at the end may show a few. */
  readonly offsets: number;
}

/** The lag of every task of this generation, and of ClickHouse. */
export async function lagsOf(connections: Connections): Promise<Lag[]> {
  const { prefix, generation } = connections.settings;
  const admin = await connections.kafka();
  const { groups } = await askedAgain(() => admin.listGroups());
  const names = groups
    .map(({ groupId }) => groupId)
    .filter((id) => id.startsWith(`${prefix}g${generation}.`) || id.startsWith(`${prefix}clickhouse.`))
    .sort();
  const lags: Lag[] = [];
  for (const group of names) {
    for (const { topic, partitions } of await askedAgain(() => admin.fetchOffsets({ groupId: group }))) {
      const ends = await topicOffsets(admin, topic).catch(() => []);
      let offsets = 0;
      for (const { partition, low, high } of ends) {
        const committed = Number(partitions.find((one) => one.partition === partition)?.offset ?? -1);
        offsets += Math.max(0, high - Math.max(committed, low));
      }
      lags.push({ group: group.slice(prefix.length), topic: topic.slice(prefix.length), offsets });
    }
  }
  return lags;
}
