import { beforeEach, describe, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { addresses } from '../../support/addresses.ts';
import { type CollectorProcess, defineSources, startCollector } from '../../support/collector-process.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { readAll } from '../../support/read-all.ts';
import { until } from '../../support/until.ts';

let installation: Installation;
let collector: CollectorProcess | undefined;

beforeEach(async () => {
  installation = await createInstallation(addresses());
  return async () => {
    await collector?.stop();
    await installation.close();
  };
});

const start = async (env: Record<string, string> = {}, at = addresses()): Promise<CollectorProcess> => {
  collector = await startCollector(at, installation.prefix, env);
  return collector;
};
const send = (url: string, messageId: string, key = 'server-key'): Promise<Response> =>
  fetch(`${url}/v1/track`, {
    method: 'POST',
    headers: { 'x-write-key': key },
    body: JSON.stringify({ event: 'E', userId: messageId, messageId }),
  });

test('told to stop under load, it answers what it has begun; what it acknowledged is stored, once', async () => {
  await defineSources(installation, { server: { writeKeys: [{ key: 'server-key' }] } });
  const { url, ready, stop } = await start();
  await ready();
  const acknowledged: string[] = [];
  // Each goes on until the port is closed.
  const senders = Array.from({ length: 32 }, async (_, sender) => {
    for (let n = 0; ; n++) {
      const messageId = `sender ${sender}, ${n}`;
      try {
        const answer = await send(url, messageId);
        if (answer.status === 200) acknowledged.push(messageId);
        await answer.text();
      } catch {
        break;
      }
    }
  });
  await until('some are acknowledged', () => acknowledged.length > 1_000);
  const code = await stop();
  await Promise.all(senders);
  expect(code).toBe(0);
  const records = await readAll(installation, topics.eventsCollected);
  const stored = records.map(({ value }) => value?.message_id ?? '');
  expect(new Set(stored).size).toBe(stored.length);
  expect(stored.sort()).toEqual(acknowledged.sort());
});

test('sources come and keys change while it runs', async () => {
  const { url, ready } = await start();
  await ready();
  const early = await send(url, 'm1');
  expect(early.status).toBe(503);
  expect(early.headers.get('retry-after')).toBe('2');
  await defineSources(installation, { server: { writeKeys: [{ key: 'server-key' }] } });
  await until('the source is known', async () => (await send(url, 'm2')).status === 200);
  await defineSources(
    installation,
    { server: { writeKeys: [{ key: 'server-key', enabled: false }, { key: 'new-key' }] } },
    2,
  );
  await until('the new key is known', async () => (await send(url, 'm3', 'new-key')).status === 200);
  expect((await send(url, 'm4')).status).toBe(403);
  const versions = new Map(
    (await readAll(installation, topics.eventsCollected)).map(({ value }) => [value?.message_id, value?.definitions]),
  );
  expect(versions.get('m2')).toEqual([{ definition: 'source/server', version: 1 }]);
  expect(versions.get('m3')).toEqual([{ definition: 'source/server', version: 2 }]);
});

describe('what is not the sender’s fault is a 503', () => {
  test('Kafka was never there', async () => {
    const { url } = await start({}, { ...addresses(), brokers: '127.0.0.1:1' });
    expect((await fetch(`${url}/health`)).status).toBe(200);
    const answer = await send(url, 'm1');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('2');
    expect(await answer.json()).toMatchObject({ code: 'unavailable' });
    const ready = await fetch(`${url}/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({
      status: 'not ready',
      missing: ['Kafka does not take events', 'the sources are not known yet'],
    });
  });

  test('more than may wait is sent at once', async () => {
    await defineSources(installation, { server: { writeKeys: [{ key: 'server-key' }] } });
    const { url, ready } = await start({ TRIBUTARY_COLLECTOR_MOST_WAITING_BYTES: '1000' });
    await ready();
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => send(url, `m${n}`)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toContain(503);
    expect(statuses).toContain(200);
    const records = await readAll(installation, topics.eventsCollected);
    expect(records).toHaveLength(statuses.filter((status) => status === 200).length);
    expect((await send(url, 'x'.repeat(1_000))).status).toBe(413);
  });
});
