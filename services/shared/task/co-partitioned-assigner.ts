import { AssignerProtocol, type PartitionAssigner } from '#shared/kafka/client.ts';
import { assignPartitions } from './assignment.ts';

const NAME = 'tributary-co-partitioned';

/**
 * kafkajs' own assigner deals partitions of several topics out like cards. This one keeps partition p of all topics together.
 * @param holds the partitions whose state is on this member's disk
 */
export const coPartitionedAssigner =
  (holds: () => readonly number[]): PartitionAssigner =>
  ({ cluster }) => ({
    name: NAME,
    version: 0,
    async assign({ members, topics }) {
      const partitions = new Map(topics.map((topic) => [topic, cluster.findTopicPartitionMetadata(topic).length]));
      const assigned = assignPartitions(
        Math.max(0, ...partitions.values()),
        members.map(({ memberId, memberMetadata }) => ({ id: memberId, holds: readHolds(memberMetadata) })),
      );
      return [...assigned].map(([memberId, mine]) => {
        const assignment = Object.fromEntries(
          topics.map((topic) => [topic, mine.filter((partition) => partition < (partitions.get(topic) ?? 0))]),
        );
        return {
          memberId,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version: 0,
            assignment,
            userData: Buffer.alloc(0),
          }),
        };
      });
    },
    protocol: ({ topics }) => ({
      name: NAME,
      metadata: AssignerProtocol.MemberMetadata.encode({
        version: 0,
        topics,
        userData: Buffer.from(JSON.stringify(holds())),
      }),
    }),
  });

function readHolds(metadata: Buffer): number[] {
  try {
    return JSON.parse(String(AssignerProtocol.MemberMetadata.decode(metadata)?.userData)) as number[];
  } catch {
    return [];
  }
}
