import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { type CollectorProcess, defineSources, startCollector } from '../support/collector-process.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
import { PersistentSenders } from '../support/persistent-senders.ts';
import { type RunningPlatform, startPlatform } from '../support/platform.ts';
import { readAll } from '../support/read-all.ts';
import { until } from '../support/until.ts';

let platform: RunningPlatform;
let installation: Installation;
let collector: CollectorProcess;

beforeAll(async () => {
  platform = await startPlatform({ parts: ['kafka', 'registry'] });
});
afterAll(() => platform.stop());

beforeEach(async () => {
  installation = await createInstallation(platform);
  await defineSources(installation, { server: { writeKeys: [{ key: 'server-key' }] } });
  collector = await startCollector(platform, installation.prefix, { TRIBUTARY_COLLECTOR_LONGEST_WAIT_MS: '3000' });
  await collector.ready();
  return async () => {
    await collector.stop();
    await installation.close();
  };
});

const sendUntilTold = (): PersistentSenders => new PersistentSenders('events', () => collector.url, 'server-key');

async function expectNoneLost(senders: PersistentSenders): Promise<void> {
  const stored = await readAll(installation, topics.eventsCollected);
  expect(senders.wrongIn(stored.map(({ value }) => value?.message_id ?? ''))).toEqual([]);
}

describe('nothing that was acknowledged is lost, and the collector recovers by itself', () => {
  test('when the collector is killed, ten times', async () => {
    const senders = sendUntilTold();
    for (let kills = 0; kills < 10; kills++) {
      const before = senders.acknowledged.length;
      await until('500 more are acknowledged', () => senders.acknowledged.length >= before + 500);
      collector.child.kill('SIGKILL');
      collector = await startCollector(platform, installation.prefix);
    }
    await senders.stop();
    expect(senders.unanswered).toBeGreaterThan(0);
    await expectNoneLost(senders);
  });

  test('when Kafka is killed', async () => {
    const senders = sendUntilTold();
    const { acknowledged, refused } = senders;
    await until('some are acknowledged', () => acknowledged.length > 500);
    platform.kill('kafka');
    await platform.restarted('kafka');
    const before = acknowledged.length;
    await until('more are acknowledged', () => acknowledged.length > before + 500);
    await senders.stop();
    await collector.ready();
    expect(refused.filter((status) => status !== 503)).toEqual([]);
    await expectNoneLost(senders);
  });

  test('when Kafka hangs: senders are told to come back, and not ready is what it says', async () => {
    const senders = sendUntilTold();
    const { acknowledged, refused } = senders;
    await until('some are acknowledged', () => acknowledged.length > 500);
    platform.kill('kafka', 'SIGSTOP');
    await until('some are refused', () => refused.length > 0);
    const ready = async () => (await fetch(`${collector.url}/ready`)).status;
    await expect.poll(ready, { timeout: 60_000 }).toBe(503);
    expect((await fetch(`${collector.url}/health`)).status).toBe(200);
    platform.kill('kafka', 'SIGCONT');
    const before = acknowledged.length;
    await until('more are acknowledged', () => acknowledged.length > before + 500);
    await senders.stop();
    expect(refused.filter((status) => status !== 503)).toEqual([]);
    await expectNoneLost(senders);
  });
});
