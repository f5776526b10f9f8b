import { randomUUID } from 'node:crypto';
import { Analytics } from '@segment/analytics-node';
import { beforeAll, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { addresses } from '../../support/addresses.ts';
import { type CollectorProcess, defineSources, startCollector } from '../../support/collector-process.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { readAll } from '../../support/read-all.ts';

let installation: Installation;
let collector: CollectorProcess;

beforeAll(async () => {
  installation = await createInstallation(addresses());
  await defineSources(installation, { server: { writeKeys: [{ key: 'server-key' }] } });
  collector = await startCollector(addresses(), installation.prefix);
  await collector.ready();
  return async () => {
    await collector.stop();
    await installation.close();
  };
});

test('Segment’s Node SDK sends every call, and every event is stored once', async () => {
  const errors: unknown[] = [];
  const analytics = new Analytics({ host: collector.url, writeKey: 'server-key', flushAt: 7, flushInterval: 50 });
  analytics.on('error', (error) => errors.push(error));
  const sent: string[] = [];
  analytics.on('http_response', ({ status }) => expect(status).toBe(200));
  for (let n = 0; n < 20; n++) {
    const messageId = (): string => {
      sent.push(`m${sent.length}`);
      return sent.at(-1) as string;
    };
    const who = { userId: `u${n}`, anonymousId: randomUUID() };
    analytics.identify({ ...who, messageId: messageId(), traits: { email: `u${n}@example.com` } });
    analytics.track({ ...who, messageId: messageId(), event: 'Order Completed', properties: { revenue: 10.1 } });
    analytics.page({ anonymousId: who.anonymousId, messageId: messageId(), name: 'Home' });
    analytics.screen({ ...who, messageId: messageId(), name: 'Basket' });
    analytics.group({ ...who, messageId: messageId(), groupId: 'g1', traits: { email: 'team@example.com' } });
    analytics.alias({ userId: who.userId, previousId: who.anonymousId, messageId: messageId() });
    analytics.track({ ...who, messageId: messageId(), event: 'Historic', timestamp: new Date('1997-01-01T00:00:00Z') });
  }
  await analytics.closeAndFlush({ timeout: 30_000 });

  expect(errors).toEqual([]);
  expect(await readAll(installation, topics.eventsRejected)).toEqual([]);
  const records = await readAll(installation, topics.eventsCollected);
  expect(records.map(({ value }) => value?.message_id).sort()).toEqual([...sent].sort());
  const byType = Object.groupBy(records, ({ value }) => String(value?.type));
  expect(Object.fromEntries(Object.entries(byType).map(([type, all]) => [type, all?.length]))).toEqual({
    identify: 20,
    track: 40,
    page: 20,
    screen: 20,
    group: 20,
    alias: 20,
  });
  for (const { key, value } of records) expect(key).toBe(value?.identifiers[0]?.hash);
  const historic = records.find(({ value }) => value?.event === 'Historic')?.value;
  expect(historic?.original_timestamp).toBe(Date.UTC(1997, 0));
  expect(Math.abs((historic?.timestamp ?? 0) - Date.UTC(1997, 0))).toBeLessThan(60_000);
  expect(records.find(({ value }) => value?.type === 'alias')?.value?.identifiers.map(({ type }) => type)).toEqual([
    'user_id',
    'anonymous_id',
  ]);
});
