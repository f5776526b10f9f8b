import { beforeEach, describe, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { TaskRunner } from '#shared/task/runner.ts';
import { addresses } from '../../support/addresses.ts';
import { expectEachOnce } from '../../support/counted.ts';
import { anEvent, countingTask, produceEvents } from '../../support/counting-task.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { until } from '../../support/until.ts';

let installation: Installation;
beforeEach(async () => {
  installation = await createInstallation(addresses(), 1);
  return () => installation.close();
});

async function runThrough(count: number): Promise<void> {
  const runner = new TaskRunner(countingTask(), installation.host());
  const running = runner.run();
  await expectEachOnce(installation, count);
  await runner.stop();
  await running;
}

/** A new start on this installation must stop by itself, saying why. */
async function expectStop(reason: RegExp): Promise<void> {
  const runner = new TaskRunner(countingTask(), installation.host());
  await expect(runner.run()).rejects.toThrow(reason);
  await runner.stop();
}

const input = () => installation.prefix + topics.eventsCollected.name;
const group = () => `${installation.prefix}g1.counter`;

describe('a task stops, and says why, instead of skipping or repeating events, when', () => {
  test('records expired before it read them', async () => {
    await produceEvents(installation, 0, 100);
    await runThrough(100);
    await produceEvents(installation, 100, 100);
    await installation.admin.deleteTopicRecords({ topic: input(), partitions: [{ partition: 0, offset: '150' }] });
    await expectStop(/50 records expired before they were read/);
  });

  test('the group’s offset was set back by hand', async () => {
    await produceEvents(installation, 0, 100);
    await runThrough(100);
    await installation.admin.setOffsets({
      groupId: group(),
      topic: input(),
      partitions: [{ partition: 0, offset: '40' }],
    });
    await expectStop(/not the one that the task committed/);
  });

  test('the group’s offsets are gone', async () => {
    await produceEvents(installation, 0, 100);
    await runThrough(100);
    await installation.admin.deleteGroups([group()]);
    await expectStop(/offset is missing/);
  });
});

test('expired topics are no reason to stop when everything in them was read', async () => {
  await produceEvents(installation, 0, 100);
  await runThrough(100);
  await installation.admin.deleteTopicRecords({ topic: input(), partitions: [{ partition: 0, offset: '-1' }] });
  await produceEvents(installation, 100, 50);
  await runThrough(150);
});

test('nor are the markers of transactions, which come after the last record, when they expire', async () => {
  const codec = await installation.codecs.ofTopic(input(), 'EventCollected');
  const producer = installation.kafka.producer({
    transactionalId: `${installation.prefix}writer`,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  const write = async (id: string, end: 'commit' | 'abort'): Promise<void> => {
    const transaction = await producer.transaction();
    await transaction.send({ topic: input(), messages: [{ key: 'k', value: codec.encode(anEvent(id)) }] });
    await transaction[end]();
  };
  await write('m0', 'commit');
  await write('m1', 'abort');
  const runner = new TaskRunner(countingTask(), installation.host());
  const running = runner.run();
  await until('the position is at the log’s end', async () => {
    const [offsets] = await installation.admin.fetchOffsets({ groupId: group(), topics: [input()] });
    return offsets?.partitions[0]?.offset === '4';
  });
  await runner.stop();
  await running;
  await installation.admin.deleteTopicRecords({ topic: input(), partitions: [{ partition: 0, offset: '-1' }] });
  await write('m2', 'commit');
  await runThrough(2);
  await producer.disconnect();
});
