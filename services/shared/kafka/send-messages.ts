import type { Message, RecordMetadata } from 'kafkajs';
import { groupByPartition } from './group-by-partition.ts';

interface Broker {
  readonly nodeId: number;
  /** Answers for each partition by itself: kafkajs' own throws as soon as one has failed, and does not say which. */
  produce(request: object): Promise<Answers>;
}
interface Answers {
  readonly topics: readonly { readonly topicName: string; readonly partitions: readonly RecordMetadata[] }[];
}

/** The messages of one partition. */
interface Entry {
  readonly topic: string;
  readonly partition: number;
  readonly messages: readonly Message[];
  /** Given once, so that what is sent again is known to be the same. */
  firstSequence?: number;
}
interface TopicData {
  readonly topic: string;
  readonly partitions: Entry[];
}

/** The parts of a kafkajs producer that sending needs. */
export interface Parts {
  readonly cluster: {
    addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
    refreshMetadata(): Promise<void>;
    refreshMetadataIfNecessary(): Promise<void>;
    findTopicPartitionMetadata(topic: string): Parameters<typeof groupByPartition>[0]['partitionMetadata'];
    findBroker(of: { nodeId: number }): Promise<Broker>;
  };
  readonly partitioner: Parameters<typeof groupByPartition>[0]['partitioner'];
  readonly eosManager: {
    isTransactional(): boolean;
    addPartitionsToTransaction(data: readonly TopicData[]): Promise<void>;
    acquireBrokerLock(broker: Broker): Promise<void>;
    releaseBrokerLock(broker: Broker): void | Promise<void>;
    getSequence(topic: string, partition: number): number;
    updateSequence(topic: string, partition: number, increment: number): void;
    getTransactionalId(): string | undefined;
    getProducerId(): unknown;
    getProducerEpoch(): number;
  };
  readonly retrier: <T>(attempt: (bail: (error: Error) => void) => Promise<T>) => Promise<T>;
}

interface Sending {
  readonly acks: number;
  readonly timeout?: number;
  readonly compression?: number;
  readonly topicMessages: readonly { readonly topic: string; readonly messages: readonly Message[] }[];
}

/** Whether the messages are in the log is not known, or only some are. Nobody may call `send` for them with the same producer. */
export class SendFailed extends Error {
  readonly retriable = false;
  /**
   * Sends once more what is not known to be in its log, with the sequence numbers that it has: where it is there already, the broker
   * does not store it again. Undefined when a broker has refused for good, and in a transaction, which is to be aborted instead.
   * To be called before anything else is sent. @throws SendFailed
   */
  readonly again: (() => Promise<RecordMetadata[]>) | undefined;

  constructor(reason: unknown, again?: () => Promise<RecordMetadata[]>) {
    super(reason instanceof Error ? reason.message : String(reason), { cause: reason });
    this.again = again;
  }
}

/** Kafka's codes with which a broker refuses a partition that it does not lead: it has stored nothing. */
const NOT_HERE: ReadonlySet<number> = new Set([3, 5, 6]);
/** Stored now, or when it was sent before (DUPLICATE_SEQUENCE_NUMBER). */
const STORED: ReadonlySet<number> = new Set([0, 46]);

/**
 * Sends messages, each once. kafkajs tries again as soon as one broker fails, while others have not answered, and remembers answers
 * by broker: when a partition changes its leader at that moment, messages are left out and taken for sent, or are sent twice with
 * sequence numbers that hide it. Here only what is known not to be in any log is tried again: before anything was sent, and where
 * a broker said that it does not lead the partition. After any other failure the caller sends `again`, or throws the producer away,
 * since its sequence numbers no longer tell what the log has, and aborts its transaction.
 *
 * @param errorOf the error for one of Kafka's codes
 * @throws SendFailed unless every partition has stored its messages
 */
export const sendMessages =
  (errorOf: (code: number) => Error) =>
  (parts: Parts) =>
  async (sending: Sending): Promise<RecordMetadata[]> => {
    const { cluster, eosManager, retrier } = parts;
    const stored: RecordMetadata[] = [];
    let open: Entry[] | undefined;
    const attempt = async (bail: (error: Error) => void): Promise<RecordMetadata[]> => {
      const requests = await prepare(parts, sending, open, bail);
      const outcomes = await Promise.allSettled(
        requests.map(([broker, topicData]) => produce(broker, topicData, sending, eosManager)),
      );
      open = [];
      let reason: unknown;
      let final = eosManager.isTransactional();
      for (const [n, [, topicData]] of requests.entries()) {
        const outcome = outcomes[n] as PromiseSettledResult<Answers>;
        for (const entry of topicData.flatMap(({ partitions }) => partitions)) {
          const answer = outcome.status === 'fulfilled' ? answerTo(entry, outcome.value) : undefined;
          if (answer && STORED.has(answer.errorCode)) {
            stored.push(answer);
            continue;
          }
          open.push(entry);
          if (answer && NOT_HERE.has(answer.errorCode)) continue;
          const error = answer ? errorOf(answer.errorCode) : undefined;
          reason ??= error ?? (outcome.status === 'rejected' ? outcome.reason : `${placeOf(entry)} has not answered`);
          final ||= (error as { retriable?: boolean } | undefined)?.retriable === false;
        }
      }
      if (reason !== undefined) {
        const failure = new SendFailed(reason, final ? undefined : again);
        bail(failure);
        throw failure;
      }
      const [first] = open;
      if (!first) return stored;
      await cluster.refreshMetadata();
      throw new Error(`${placeOf(first)} has changed its leader`);
    };
    const again = (): Promise<RecordMetadata[]> =>
      retrier(attempt).catch((error) => {
        throw error instanceof SendFailed ? error : new SendFailed(error, again);
      });
    return retrier(attempt);
  };

const placeOf = ({ topic, partition }: Entry): string => `${topic}/${partition}`;

function answerTo({ topic, partition }: Entry, { topics }: Answers): RecordMetadata | undefined {
  const answers = topics.find(({ topicName }) => topicName === topic);
  const answer = answers?.partitions.find((one) => one.partition === partition);
  return answer && { ...answer, topicName: topic };
}

/** Which broker gets what; the partitions are in the transaction. Nothing is sent here: any failure may be tried again. */
async function prepare(
  parts: Parts,
  sending: Sending,
  open: readonly Entry[] | undefined,
  bail: (error: Error) => void,
): Promise<[Broker, TopicData[]][]> {
  const { cluster, eosManager } = parts;
  try {
    await cluster.addMultipleTargetTopics(sending.topicMessages.map(({ topic }) => topic));
    await cluster.refreshMetadataIfNecessary();
    const byLeader = new Map<number, TopicData[]>();
    for (const entry of open ?? entriesOf(parts, sending)) {
      const { topic, partition } = entry;
      const leader = cluster.findTopicPartitionMetadata(topic).find((one) => one.partitionId === partition)?.leader;
      // kafkajs itself would pass over it.
      if (leader === undefined) throw new Error(`${placeOf(entry)} does not exist`);
      const led = byLeader.get(leader) ?? [];
      byLeader.set(leader, led);
      const data = led.find((one) => one.topic === topic);
      if (data) data.partitions.push(entry);
      else led.push({ topic, partitions: [entry] });
    }
    const requests: [Broker, TopicData[]][] = [];
    for (const [nodeId, data] of byLeader) requests.push([await cluster.findBroker({ nodeId }), data]);
    if (eosManager.isTransactional()) await eosManager.addPartitionsToTransaction([...byLeader.values()].flat());
    return requests;
  } catch (error) {
    if ((error as { retriable?: boolean }).retriable === false) bail(error as Error);
    else await cluster.refreshMetadata().catch(() => undefined);
    throw error;
  }
}

function entriesOf({ cluster, partitioner }: Parts, { topicMessages }: Sending): Entry[] {
  return topicMessages.flatMap(({ topic, messages }) => {
    const partitionMetadata = cluster.findTopicPartitionMetadata(topic);
    if (partitionMetadata.length === 0) throw new Error(`nothing is known of ${topic}`);
    const groups = groupByPartition({ topic, partitionMetadata, messages, partitioner });
    return Object.entries(groups).map(([partition, group]) => ({
      topic,
      partition: Number(partition),
      messages: group,
    }));
  });
}

async function produce(
  broker: Broker,
  topicData: readonly TopicData[],
  { acks, timeout, compression }: Sending,
  eosManager: Parts['eosManager'],
): Promise<Answers> {
  await eosManager.acquireBrokerLock(broker);
  try {
    for (const { topic, partitions } of topicData) {
      for (const entry of partitions) {
        if (entry.firstSequence !== undefined) continue;
        entry.firstSequence = eosManager.getSequence(topic, entry.partition);
        eosManager.updateSequence(topic, entry.partition, entry.messages.length);
      }
    }
    return await broker.produce({
      transactionalId: eosManager.isTransactional() ? eosManager.getTransactionalId() : undefined,
      producerId: eosManager.getProducerId(),
      producerEpoch: eosManager.getProducerEpoch(),
      acks,
      timeout,
      compression,
      topicData,
    });
  } finally {
    await eosManager.releaseBrokerLock(broker);
  }
}
