import { createRequire } from 'node:module';
import type { Message } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import './client.ts';
import { type Parts, SendFailed, sendMessages } from './send-messages.ts';

const require = createRequire(import.meta.url);
const createRetry = require('kafkajs/src/retry');
const createEosManager = require('kafkajs/src/producer/eosManager');
const { createErrorFromCode } = require('kafkajs/src/protocol/error');

const NOT_LEADER = 6;
const OUT_OF_ORDER_SEQUENCE = 45;
const DUPLICATE_SEQUENCE = 46;

interface Asked {
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly firstSequence: number;
      readonly messages: readonly Message[];
    }[];
  }[];
}
/** What becomes of a request to a broker: an error code for all of its partitions, or the connection is lost. */
type Fate = (asked: Asked) => number | Promise<number>;

/**
 * Two brokers, of which each keeps what it stored. kafkajs' parts for transactions and retries are the real ones.
 * @param leaders by partition, as the cluster knows them at each refresh
 */
async function producerTo(
  fates: Readonly<Record<number, Fate>>,
  leaders: readonly (readonly number[])[],
  transactional = true,
) {
  const log: string[] = [];
  let refreshed = 0;
  const brokerOf = (nodeId: number) => ({
    nodeId,
    addPartitionsToTxn: async () => {},
    initProducerId: async () => ({ producerId: '7', producerEpoch: 0 }),
    async produce(asked: Asked) {
      const errorCode = (await fates[nodeId]?.(asked)) ?? 0;
      return {
        topics: asked.topicData.map(({ topic, partitions }) => ({
          topicName: topic,
          partitions: partitions.map(({ partition, firstSequence, messages }) => {
            // As Kafka does it: what has been stored is acknowledged, not stored again.
            const first = `${nodeId}: ${topic}/${partition} ${firstSequence} ${messages[0]?.value}`;
            if (errorCode === 0 && !log.includes(first))
              messages.forEach(({ value }, n) => {
                log.push(`${nodeId}: ${topic}/${partition} ${firstSequence + n} ${value}`);
              });
            return { partition, errorCode, baseOffset: '0' };
          }),
        })),
      };
    },
  });
  const brokers = [1, 2].map(brokerOf);
  const retry = { initialRetryTime: 1, factor: 0, multiplier: 1, maxRetryTime: 1, retries: 20 };
  const cluster = {
    retry,
    addMultipleTargetTopics: async () => {},
    refreshMetadata: async () => {
      refreshed++;
    },
    refreshMetadataIfNecessary: async () => {},
    findTopicPartitionMetadata: () =>
      (leaders[Math.min(refreshed, leaders.length - 1)] ?? []).map((leader, partitionId) => ({ partitionId, leader })),
    findBroker: async ({ nodeId }: { nodeId: number }) => brokers.find((one) => one.nodeId === nodeId),
    findGroupCoordinator: async () => brokers[0],
    findControllerBroker: async () => brokers[0],
  };
  const quiet = { debug() {}, info() {}, warn() {}, error() {}, namespace: () => quiet };
  const transactionalId = transactional ? 't' : undefined;
  const eosManager = createEosManager({ logger: quiet, cluster, transactional, transactionalId });
  await eosManager.initProducerId();
  if (transactional) eosManager.beginTransaction();
  const parts = { cluster, eosManager, partitioner: () => 0, retrier: createRetry(retry) } as unknown as Parts;
  const send = (...values: readonly string[]) =>
    sendMessages(createErrorFromCode)(parts)({
      acks: -1,
      topicMessages: [{ topic: 't', messages: values.map((value, partition) => ({ partition, value })) }],
    });
  return { send, log };
}

const once = (code: number): Fate => {
  let left = 1;
  return () => (left-- > 0 ? code : 0);
};

describe('each message once, or a failure', () => {
  test('whatever leads its partition', async () => {
    const { send, log } = await producerTo({}, [[1, 2]]);
    expect(await send('A', 'B')).toMatchObject([{ partition: 0 }, { partition: 1 }]);
    expect(await send('C', 'D')).toHaveLength(2);
    expect(log.sort()).toEqual(['1: t/0 0 A', '1: t/0 1 C', '2: t/1 0 B', '2: t/1 1 D']);
  });

  test('none is left out when its partition goes to a broker that has answered', async () => {
    const { send, log } = await producerTo({ 1: once(NOT_LEADER) }, [
      [1, 2],
      [2, 2],
    ]);
    expect(await send('A', 'B')).toHaveLength(2);
    expect(log).toEqual(['2: t/1 0 B', '2: t/0 0 A']);
  });

  test('none is sent twice when one broker refuses before another has answered', async () => {
    const slow: Fate = () => new Promise((resolve) => setTimeout(resolve, 30, 0));
    const { send, log } = await producerTo({ 1: once(NOT_LEADER), 2: slow }, [[1, 2]]);
    await send('A', 'B');
    await send('C', 'D');
    expect(log.sort()).toEqual(['1: t/0 0 A', '1: t/0 1 C', '2: t/1 0 B', '2: t/1 1 D']);
  });

  test.each<[string, Fate]>([
    ['a lost connection', () => Promise.reject(new Error('closed'))],
    ['an error that does not say what is stored', () => OUT_OF_ORDER_SEQUENCE],
  ])('nothing is tried again after %s', async (_, fate) => {
    const { send, log } = await producerTo({ 1: fate }, [[1, 2]]);
    const failure = await send('A', 'B').catch((error) => error);
    expect(failure).toBeInstanceOf(SendFailed);
    expect(failure.again).toBeUndefined();
    expect(log).toEqual(['2: t/1 0 B']);
  });

  test('a partition that does not exist is not passed over', async () => {
    const { send, log } = await producerTo({}, [[1]]);
    await expect(send('A', 'B')).rejects.toThrow('t/1 does not exist');
    expect(log).toEqual([]);
  });
});

describe('the same again, outside transactions', () => {
  const lost = (times: number, before: () => number): Fate => {
    let left = times;
    return () => (left-- > 0 ? Promise.reject(new Error('closed')) : before());
  };
  const failed = async (send: Promise<unknown>): Promise<SendFailed> => {
    const failure: unknown = await send.catch((error) => error);
    if (failure instanceof SendFailed) return failure;
    throw new Error('it did not fail');
  };

  test('goes out with the sequence numbers that it had, and only where it is not known to be stored', async () => {
    const { send, log } = await producerTo({ 1: lost(2, () => 0) }, [[1, 2]], false);
    const second = await failed((await failed(send('A', 'B'))).again?.() as Promise<unknown>);
    expect(log).toEqual(['2: t/1 0 B']);
    expect(await second.again?.()).toHaveLength(2);
    await send('C', 'D');
    expect(log.sort()).toEqual(['1: t/0 0 A', '1: t/0 1 C', '2: t/1 0 B', '2: t/1 1 D']);
  });

  test('counts as stored what Kafka knows as a duplicate', async () => {
    const { send } = await producerTo({ 1: lost(1, () => DUPLICATE_SEQUENCE) }, [[1]], false);
    expect(await (await failed(send('A'))).again?.()).toMatchObject([{ partition: 0 }]);
  });

  test('follows a partition to another broker', async () => {
    const leaders = [[1], [1], [2]];
    const { send, log } = await producerTo({ 1: lost(1, () => NOT_LEADER) }, leaders, false);
    expect(await (await failed(send('A'))).again?.()).toHaveLength(1);
    expect(log).toEqual(['2: t/0 0 A']);
  });

  test('is not offered when Kafka refuses for good', async () => {
    const { send } = await producerTo({ 1: () => OUT_OF_ORDER_SEQUENCE }, [[1, 2]], false);
    expect((await failed(send('A', 'B'))).again).toBeUndefined();
  });
});
