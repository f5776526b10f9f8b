import { beforeAll, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { addresses } from '../../support/addresses.ts';
import { type CollectorProcess, defineSources, startCollector } from '../../support/collector-process.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { readAll } from '../../support/read-all.ts';
import { until } from '../../support/until.ts';

let installation: Installation;
let collector: CollectorProcess;

beforeAll(async () => {
  installation = await createInstallation(addresses());
  await defineSources(installation, {
    mail: { writeKeys: [{ key: 'mail-key-1' }, { key: 'mail-key-2' }] },
    slow: { writeKeys: [{ key: 'slow-key' }], rateLimit: { eventsPerSecond: 0.1, burst: 3 } },
    elsewhere: { writeKeys: [{ key: 'elsewhere-key' }], allowedAddresses: ['198.51.100.0/24'] },
  });
  collector = await startCollector(addresses(), installation.prefix);
  await collector.ready();
  return async () => {
    await collector.stop();
    await installation.close();
  };
});

const track = (key: string, messageId: string): Promise<Response> =>
  fetch(`${collector.url}/v1/track`, {
    method: 'POST',
    headers: { 'x-write-key': key },
    body: JSON.stringify({ event: 'E', userId: 'u1', messageId }),
  });
const stored = async (): Promise<(string | undefined)[]> =>
  (await readAll(installation, topics.eventsCollected)).map(({ value }) => value?.message_id).sort();

test('pixels, rotated keys, rates and addresses: what was acknowledged is stored, and nothing of what was refused', async () => {
  const data = Buffer.from('{"event":"Email Opened","userId":"u1","messageId":"opened"}').toString('base64url');
  const pixel = await fetch(`${collector.url}/v1/pixel/track?writeKey=mail-key-1&data=${data}`);
  expect([pixel.status, pixel.headers.get('content-type')]).toEqual([200, 'image/gif']);
  expect((await pixel.bytes()).length).toBe(42);

  const statuses: number[] = [];
  for (let n = 0; n < 4; n++) statuses.push((await track('slow-key', `slow-${n}`)).status);
  expect(statuses).toEqual([200, 200, 200, 429]);
  const refused = await track('slow-key', 'slow-5');
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({ code: 'rate_limited' });

  expect((await track('elsewhere-key', 'elsewhere')).status).toBe(403);
  expect((await track('mail-key-2', 'rotated')).status).toBe(200);
  expect(await stored()).toEqual(['opened', 'rotated', 'slow-0', 'slow-1', 'slow-2']);

  const metrics = await (await fetch(`${collector.url}/metrics`)).text();
  expect(metrics).toContain('tributary_collector_requests_total{status="429",service="collector"} 2');
  expect(metrics).toContain('tributary_collector_unavailable_total{code="rate_limited",service="collector"} 2');
});

test('a key that is switched off, an address that is let in and a rate that is lifted are in force without a restart', async () => {
  await defineSources(
    installation,
    {
      mail: { writeKeys: [{ key: 'mail-key-1', enabled: false }, { key: 'mail-key-2' }] },
      slow: { writeKeys: [{ key: 'slow-key' }] },
      elsewhere: { writeKeys: [{ key: 'elsewhere-key' }], allowedAddresses: ['127.0.0.0/8', '::1'] },
    },
    2,
  );
  await until('the old key is switched off', async () => (await track('mail-key-1', 'old')).status === 403);
  await until('the address is let in', async () => (await track('elsewhere-key', 'let-in')).status === 200);
  await until('the rate is lifted', async () => (await track('slow-key', 'lifted')).status === 200);
  expect((await track('mail-key-2', 'new')).status).toBe(200);
});
