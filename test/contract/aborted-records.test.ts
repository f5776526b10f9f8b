import { afterAll, beforeAll, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { addresses } from '../support/addresses.ts';
import { anEvent } from '../support/counting-task.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
import { readAll } from '../support/read-all.ts';

let installation: Installation;
beforeAll(async () => {
  installation = await createInstallation(addresses(), 1);
});
afterAll(() => installation.close());

test('readers get no aborted record and miss no committed one, however transactions interleave', async () => {
  const topic = installation.prefix + topics.eventsCollected.name;
  const codec = await installation.codecs.ofTopic(topic, 'EventCollected');
  const producers = await Promise.all(
    [0, 1, 2, 3].map(async (n) => {
      const producer = installation.kafka.producer({
        transactionalId: `${installation.prefix}interleave.${n}`,
        idempotent: true,
        maxInFlightRequests: 1,
      });
      await producer.connect();
      return producer;
    }),
  );
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return (seed >> 16) % below;
  };
  const committed: string[] = [];
  let made = 0;
  for (let round = 0; round < 12; round++) {
    const open = await Promise.all(
      producers.map(async (producer) => ({ transaction: await producer.transaction(), sent: [] as string[] })),
    );
    for (let i = 0; i < 12; i++) {
      const one = open[random(open.length)];
      const id = `m${made++}`;
      one?.sent.push(id);
      await one?.transaction.send({ topic, messages: [{ key: 'k', value: codec.encode(anEvent(id)) }] });
    }
    while (open.length > 0) {
      const [one] = open.splice(random(open.length), 1);
      if (random(2) === 0) {
        await one?.transaction.abort();
      } else {
        await one?.transaction.commit();
        committed.push(...(one?.sent ?? []));
      }
    }
  }
  await Promise.all(producers.map((producer) => producer.disconnect()));
  const read = (await readAll(installation, topics.eventsCollected)).map(({ value }) => value?.message_id);
  expect(read.toSorted()).toEqual(committed.toSorted());
  expect(committed.length).toBeGreaterThan(20);
  expect(committed.length).toBeLessThan(made - 20);
});
