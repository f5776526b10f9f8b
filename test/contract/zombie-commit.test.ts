import { afterAll, beforeAll, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { TaskRunner } from '#shared/task/runner.ts';
import { addresses } from '../support/addresses.ts';
import { expectEachOnce } from '../support/counted.ts';
import { anEvent, countingTask, produceEvents } from '../support/counting-task.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
import { readAll } from '../support/read-all.ts';
import { until } from '../support/until.ts';

let installation: Installation;
beforeAll(async () => {
  installation = await createInstallation(addresses(), 1);
});
afterAll(() => installation.close());

/**
 * The zombie's last commit falls into the gap between the successor's steps: it is made as soon as the successor asks for
 * offsets, unless the successor has fenced the zombie before. Then it must fail.
 */
test('the last commit of a zombie is not done twice: a successor reads the offset only after it has fenced', async () => {
  await produceEvents(installation, 0, 10);
  const topic = installation.prefix + topics.eventsCollected.name;
  const groupId = `${installation.prefix}g1.counter`;
  const first = new TaskRunner(countingTask(), installation.host());
  const firstRunning = first.run();
  await expectEachOnce(installation, 10);
  await first.stop();
  await firstRunning;

  await produceEvents(installation, 10, 10);
  const zombie = installation.kafka.producer({
    transactionalId: `${groupId}.0`,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await zombie.connect();
  const transaction = await zombie.transaction();
  const stitched = await installation.codecs.ofTopic(installation.prefix + topics.eventsStitched.name, 'EventStitched');
  const messages = Array.from({ length: 10 }, (_, i) => ({
    key: `k${10 + i}`,
    value: stitched.encode({ ...anEvent(`m${10 + i}`), profile_id: '', mapping_version: 1 }),
  }));
  await transaction.send({ topic: installation.prefix + topics.eventsStitched.name, messages });
  await transaction.sendOffsets({
    consumerGroupId: groupId,
    topics: [{ topic, partitions: [{ partition: 0, offset: '20' }] }],
  });
  let outcome = 'not tried';
  const admin = new Proxy(installation.kafka.admin(), {
    get(target, name, receiver) {
      if (name !== 'fetchOffsets') return Reflect.get(target, name, receiver);
      return async (...args: Parameters<typeof target.fetchOffsets>) => {
        const answer = await target.fetchOffsets(...args);
        if (outcome === 'not tried')
          outcome = await transaction.commit().then(
            () => 'committed',
            (error: Error) => `refused: ${error.message}`,
          );
        return answer;
      };
    },
  });
  const kafka = new Proxy(installation.kafka, {
    get: (target, name, receiver) => (name === 'admin' ? () => admin : Reflect.get(target, name, receiver)),
  });
  const successor = new TaskRunner(countingTask(), installation.host({ kafka }));
  const running = successor.run();
  await until('the successor works', () => successor.notReady().length === 0);
  expect(outcome).toMatch(/^refused/);
  await expectEachOnce(installation, 20);
  expect((await readAll(installation, topics.eventsStitched)).length).toBe(20);
  await successor.stop();
  await running;
  await zombie.disconnect();
});
