import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { addresses } from '../../support/addresses.ts';
import { type CollectorProcess, defineSources, startCollector } from '../../support/collector-process.ts';
import { geoData } from '../../support/geo-data.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { readAll } from '../../support/read-all.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let installation: Installation;
let collector: CollectorProcess;

beforeAll(async () => {
  installation = await createInstallation(addresses());
  await defineSources(installation, {
    web: { writeKeys: [{ key: 'web-key' }], allowedOrigins: ['*'], keepIp: false },
    strict: { writeKeys: [{ key: 'strict-key' }], allowedOrigins: ['*'], enrich: { bots: 'drop', geo: false } },
  });
  const geoFile = join(temporaryDirectory(), 'places.mmdb');
  writeFileSync(geoFile, geoData({ '203.0.113.0/24': { country: { iso_code: 'DE', names: { en: 'Germany' } } } }));
  collector = await startCollector(addresses(), installation.prefix, {
    TRIBUTARY_COLLECTOR_GEO_FILE: geoFile,
    TRIBUTARY_COLLECTOR_TRUSTED_PROXIES: '1',
  });
  await collector.ready();
  return async () => {
    await collector.stop();
    await installation.close();
  };
});

const browser =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';
const robot = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';

const send = (key: string, messageId: string, userAgent: string): Promise<Response> =>
  fetch(`${collector.url}/v1/page`, {
    method: 'POST',
    headers: {
      'x-write-key': key,
      origin: 'https://shop.example.com',
      'x-forwarded-for': '203.0.113.9',
      'user-agent': userAgent,
      'sec-ch-ua-platform': '"Windows"',
      'sec-ch-ua-platform-version': '"15.0.0"',
    },
    body: JSON.stringify({
      anonymousId: 'a-1',
      messageId,
      context: { page: { url: 'https://shop.example.com/', referrer: 'https://www.bing.com/' } },
    }),
  });

test('what a browser’s request tells stands with its event; robots are flagged, or dropped and counted', async () => {
  const statuses = [
    await send('web-key', 'of a person', browser),
    await send('web-key', 'of a robot', robot),
    await send('strict-key', 'strictly of a person', browser),
    await send('strict-key', 'strictly of a robot', robot),
  ].map(({ status }) => status);
  expect(statuses).toEqual([200, 200, 200, 200]);

  const events = (await readAll(installation, topics.eventsCollected)).map(({ value }) => value);
  const found = (messageId: string): Record<string, unknown> =>
    JSON.parse(events.find((event) => event?.message_id === messageId)?.enrichment as string);
  expect(events.map((event) => [event?.message_id, event?.flags.includes('bot')]).sort()).toEqual([
    ['of a person', false],
    ['of a robot', true],
    ['strictly of a person', false],
  ]);
  expect(found('of a person')).toEqual({
    userAgent: browser,
    browser: { name: 'Chrome', version: '131.0.0.0' },
    os: { name: 'Windows', version: '11' },
    device: { type: 'desktop' },
    campaign: { source: 'bing', medium: 'organic' },
    location: { country: 'Germany', countryCode: 'DE' },
  });
  expect(found('strictly of a person')).not.toHaveProperty('location');
  const person = events.find((event) => event?.message_id === 'of a person');
  expect(person?.ip).toBeNull();
  expect(JSON.parse(person?.payload as string).context).toMatchObject(found('of a person'));

  const metrics = await (await fetch(`${collector.url}/metrics`)).text();
  expect(metrics).toContain(
    'tributary_collector_events_total{source="strict",outcome="dropped",reason="bot",service="collector"} 1',
  );
  expect(metrics).toContain('tributary_collector_flags_total{source="web",flag="bot",service="collector"} 1');
});
