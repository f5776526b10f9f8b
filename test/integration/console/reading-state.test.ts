import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deliveryTopic, topics } from '#schemas/topics.ts';
import { CLICKHOUSE } from '#shared/accounting/balance.ts';
import { readingState } from '../../../services/console/cli/reading-state.ts';
import { addresses } from '../../support/addresses.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';

const PARTITION = 2;

let installation: Installation;
beforeAll(async () => {
  installation = await createInstallation(addresses());
});
afterAll(() => installation.close());

/** Three records and then a marker, and perhaps records that were aborted. @returns the offset after the last of the three */
async function write(topic: string, partition: number, aborts = false): Promise<number> {
  const name = installation.prefix + topic;
  const producer = installation.kafka.producer({
    transactionalId: randomUUID(),
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await producer.connect();
  let next = 0;
  for (const isAborted of aborts ? [false, true] : [false]) {
    const transaction = await producer.transaction();
    const messages = [1, 2, 3].map((n) => ({ partition, key: `${n}`, value: 'any' }));
    const [sent] = await transaction.send({ topic: name, messages });
    // Not reckoned from the log's end: a commit is answered before its marker is written.
    if (!isAborted) next = Number(sent?.baseOffset) + messages.length;
    await (isAborted ? transaction.abort() : transaction.commit());
  }
  await producer.disconnect();
  return next;
}

const stateOf = (reader: string, topic: string, next: number, partition = PARTITION) =>
  readingState(installation, { reader, topic }, new Map([[partition, next]]));

describe('a reader that counted fewer records than were written', () => {
  const stitched = topics.eventsStitched.name;
  const [whole, read, behind] = [
    { isIncomplete: false, isBehind: false },
    { isIncomplete: true, isBehind: false },
    { isIncomplete: true, isBehind: true },
  ];

  test('is looked at only where the log has lost its beginning', async () => {
    const next = await write(stitched, PARTITION, true);
    expect(await stateOf('projector', stitched, next - 1)).toMatchObject(whole);
    const topic = installation.prefix + stitched;
    await installation.admin.deleteTopicRecords({ topic, partitions: [{ partition: PARTITION, offset: '1' }] });
    // Behind the last record there are a marker, and records that were aborted.
    expect(await stateOf('projector', stitched, next)).toMatchObject(read);
    expect(await stateOf('projector', stitched, next - 1)).toMatchObject(behind);
    expect(await stateOf('planner', stitched, 0)).toMatchObject(behind);
  });

  test('or where it may have been compacted', async () => {
    const claims = topics.identityClaims.name;
    const next = await write(claims, 0);
    expect(await stateOf('linker', claims, next, 0)).toMatchObject(read);
    expect(await stateOf('linker', claims, next - 1, 0)).toMatchObject(behind);
  });

  test('is ClickHouse: its group tells how far it is', async () => {
    const mappings = topics.identityMappings.name;
    const next = await write(mappings, PARTITION);
    expect(await stateOf(CLICKHOUSE, mappings, 0)).toMatchObject(behind);
    const groupId = `${installation.prefix}clickhouse.${mappings}`;
    const partitions = [{ partition: PARTITION, offset: String(next) }];
    await installation.admin.setOffsets({ groupId, topic: installation.prefix + mappings, partitions });
    expect(await stateOf(CLICKHOUSE, mappings, 0)).toMatchObject(read);
  });

  test('has nothing left to read where the topic is gone', async () => {
    expect(await stateOf('sender-gone', deliveryTopic('gone').name, 0)).toMatchObject(read);
  });
});
