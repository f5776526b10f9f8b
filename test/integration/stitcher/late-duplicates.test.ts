import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EventCollected } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { TaskRunner } from '#shared/task/runner.ts';
import { createResolver } from '../../../services/identity-stitcher/resolver.ts';
import { createProjector } from '../../../services/profile-projector/projector.ts';
import { addresses } from '../../support/addresses.ts';
import { anEvent } from '../../support/counting-task.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { produce } from '../../support/produce.ts';
import { accountingOf } from '../../support/read-all.ts';
import { until } from '../../support/until.ts';
import { openWarehouse, type Warehouse } from '../../support/warehouse.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Kafka takes no record that is ahead of its clock, and expires what is a week old. */
const START = Date.now() - 3 * DAY;
const hashing = hashingWith(Buffer.alloc(32, 7));

let installation: Installation;
let warehouse: Warehouse;
beforeAll(async () => {
  installation = await createInstallation(addresses());
  warehouse = await openWarehouse(installation);
});
afterAll(async () => {
  await warehouse.close();
  await installation.close();
});

const order = (messageId: string, userId: string, later: number, source = 'shop'): EventCollected => ({
  ...anEvent(messageId),
  event: 'Order Completed',
  source,
  identifiers: [{ type: 'user_id', value: userId, hash: hashing.hash('user_id', userId) }],
  received_at: START + later,
  original_timestamp: START,
  timestamp: START,
  payload: '{"type":"track","event":"Order Completed","properties":{"revenue":10}}',
});
const collect = (...events: EventCollected[]): Promise<void> =>
  produce(
    installation,
    topics.eventsCollected,
    events.map((value) => ({ key: value.identifiers[0]?.hash ?? '', value })),
  );

/** Stitcher and projector in one process, whose disk is lost when it ends. */
function startTasks() {
  const host = installation.host();
  const runners = [createResolver({ hashing, generation: 1 }), createProjector({ generation: 1 })].map(
    (task) => new TaskRunner(task, host),
  );
  const running = runners.map((runner) => runner.run());
  return async (): Promise<void> => {
    await Promise.all(runners.map((runner) => runner.stop()));
    await Promise.all(running);
  };
}

async function outcomes(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const totals of await accountingOf(installation)) {
    if (totals.task !== 'resolver' || !totals.topic.endsWith(topics.eventsCollected.name)) continue;
    for (const [outcome, count] of Object.entries(totals.outcomes)) counts[outcome] = (counts[outcome] ?? 0) + count;
  }
  return counts;
}

test('what comes again, in time or years too late, counts once: in the books, in profiles and in SQL', async () => {
  const endOfFirst = startTasks();
  await collect(order('m1', 'ann', 0), order('m2', 'ann', 1), order('m1', 'bob', 0, 'till'), order('m1', 'ann', HOUR));
  await expect.poll(outcomes).toEqual({ stitched: 3, duplicate: 1 });
  await endOfFirst();

  const endOfSecond = startTasks();
  await collect(order('m1', 'ann', DAY), order('m2', 'ann', 25 * HOUR), order('m1', 'bob', 400 * DAY, 'till'));
  await collect(order('m1', 'ann', 2_000 * DAY), order('m3', 'ann', 2 * DAY));
  await expect.poll(outcomes).toEqual({ stitched: 4, duplicate: 5 });

  const events = `SELECT message_id, source, toString(sum(1)) AS times, toString(sum(toFloat64OrZero(toString(properties.revenue)))) AS revenue
                  FROM {db}.events GROUP BY message_id, source ORDER BY source, message_id`;
  const profiles = `SELECT events, revenue['USD'] AS revenue FROM {db}.profiles ORDER BY events DESC`;
  await until('ClickHouse has all', async () => {
    const [sum] = await warehouse.rows<{ events: string }>('SELECT toString(sum(events)) AS events FROM {db}.profiles');
    const [log] = await warehouse.rows<{ events: string }>('SELECT toString(count()) AS events FROM {db}.events');
    return sum?.events === '4' && log?.events === '4';
  });
  expect(await warehouse.rows(events)).toEqual([
    { message_id: 'm1', source: 'shop', times: '1', revenue: '10' },
    { message_id: 'm2', source: 'shop', times: '1', revenue: '10' },
    { message_id: 'm3', source: 'shop', times: '1', revenue: '10' },
    { message_id: 'm1', source: 'till', times: '1', revenue: '10' },
  ]);
  expect((await warehouse.rows(profiles)).map((row) => [Number(row.events), Number(row.revenue)])).toEqual([
    [3, 30],
    [1, 10],
  ]);
  await endOfSecond();
});
