import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { type CollectorProcess, defineSources, startCollector } from '../support/collector-process.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
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

const statusOf = async (messageId: string): Promise<number> => {
  const answer = await fetch(`${collector.url}/v1/track`, {
    method: 'POST',
    headers: { 'x-write-key': 'server-key' },
    body: JSON.stringify({ event: 'E', userId: messageId, messageId }),
  });
  await answer.text();
  return answer.status;
};

/** Senders that send an event again until it is acknowledged, as SDKs do. */
function sendUntilTold() {
  const acknowledged: string[] = [];
  const refused: number[] = [];
  let on = true;
  const senders = Array.from({ length: 16 }, async (_, sender) => {
    for (let n = 0; on; n++) {
      for (;;) {
        const status = await statusOf(`sender ${sender}, ${n}`);
        if (status === 200) break;
        refused.push(status);
      }
      acknowledged.push(`sender ${sender}, ${n}`);
    }
  });
  const stop = async (): Promise<void> => {
    on = false;
    await Promise.all(senders);
  };
  return { acknowledged, refused, stop };
}

async function expectNoneLost(acknowledged: readonly string[]): Promise<void> {
  const stored = new Set(
    (await readAll(installation, topics.eventsCollected)).map(({ value }) => value?.message_id ?? ''),
  );
  expect(acknowledged.filter((messageId) => !stored.has(messageId))).toEqual([]);
}

describe('nothing that was acknowledged is lost, and the collector recovers by itself', () => {
  test('when Kafka is killed', async () => {
    const { acknowledged, refused, stop } = sendUntilTold();
    await until('some are acknowledged', () => acknowledged.length > 500);
    platform.kill('kafka');
    await platform.restarted('kafka');
    const before = acknowledged.length;
    await until('more are acknowledged', () => acknowledged.length > before + 500);
    await stop();
    await collector.ready();
    expect(refused.filter((status) => status !== 503)).toEqual([]);
    await expectNoneLost(acknowledged);
  });

  test('when Kafka hangs: senders are told to come back, and not ready is what it says', async () => {
    const { acknowledged, refused, stop } = sendUntilTold();
    await until('some are acknowledged', () => acknowledged.length > 500);
    platform.kill('kafka', 'SIGSTOP');
    await until('some are refused', () => refused.length > 0);
    expect((await fetch(`${collector.url}/ready`)).status).toBe(503);
    expect((await fetch(`${collector.url}/health`)).status).toBe(200);
    platform.kill('kafka', 'SIGCONT');
    const before = acknowledged.length;
    await until('more are acknowledged', () => acknowledged.length > before + 500);
    await stop();
    expect(refused.filter((status) => status !== 503)).toEqual([]);
    await expectNoneLost(acknowledged);
  });
});
