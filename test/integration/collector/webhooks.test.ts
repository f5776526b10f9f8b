import { afterAll, beforeAll, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { TaskRunner } from '#shared/task/runner.ts';
import type { Task } from '#shared/task/task.ts';
import { createResolver } from '../../../services/identity-stitcher/resolver.ts';
import { addresses } from '../../support/addresses.ts';
import { type CollectorProcess, defineSources, secret, startCollector } from '../../support/collector-process.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { readAll } from '../../support/read-all.ts';
import { until } from '../../support/until.ts';
import { openWarehouse, type Warehouse } from '../../support/warehouse.ts';
import { exampleSource, providers, type SentWebhook, webhooksOf } from '../../support/webhooks.ts';

let installation: Installation;
let collector: CollectorProcess;
let warehouse: Warehouse;
let resolver: TaskRunner;
let running: Promise<void>;

beforeAll(async () => {
  installation = await createInstallation(addresses());
  await defineSources(
    installation,
    Object.fromEntries(providers.map((provider) => [provider, exampleSource(provider)])),
  );
  await defineSources(installation, { plain: { writeKeys: [{ key: 'plain-key' }] } });
  warehouse = await openWarehouse(installation);
  resolver = new TaskRunner(
    createResolver({ hashing: hashingWith(secret), generation: 1 }) as unknown as Task,
    installation.host(),
  );
  running = resolver.run();
  collector = await startCollector(addresses(), installation.prefix);
  await collector.ready();
});
afterAll(async () => {
  await collector.stop();
  await resolver.stop();
  await running;
  await warehouse.close();
  await installation.close();
});

const send = ({ query, headers, body }: Omit<SentWebhook, 'provider'>): Promise<Response> =>
  fetch(`${collector.url}/v1/webhook?${query}`, { method: 'POST', headers, body });
const answerOf = async (response: Response): Promise<[number, string | undefined]> => [
  response.status,
  ((await response.json()) as { code?: string }).code,
];

test('what providers send becomes rows of ClickHouse, once however often it comes, with consents and texts', async () => {
  const webhooks = webhooksOf(Date.now());
  // All of it a second time, as when an answer was lost on its way.
  for (const webhook of [...webhooks, ...webhooks]) {
    const response = await send(webhook);
    expect([response.status, await response.json()], webhook.body).toEqual([200, { success: true }]);
  }
  const collected = await readAll(installation, topics.eventsCollected);
  const ids = new Set(collected.map(({ value }) => value?.message_id));
  expect(collected).toHaveLength(2 * ids.size);
  expect(await readAll(installation, topics.eventsRejected)).toEqual([]);

  await until('all are rows', async () => {
    const [row] = await warehouse.rows<{ n: string }>('SELECT count() AS n FROM {db}.events');
    return Number(row?.n) === ids.size;
  });
  const rows = await warehouse.rows(
    `SELECT source, event, identifiers.type[1] AS by, mapFromArrays(consents.purpose, consents.state) AS consents, text
     FROM {db}.events_log FINAL ORDER BY source, event, text`,
  );
  const email = { by: 'email', consents: {}, text: '' };
  const phone = { by: 'external_id:phone', consents: {}, text: '' };
  const denied = { consents: { marketing: 'denied' } };
  expect(rows).toEqual([
    { source: 'mailgun', event: 'Email Bounced', ...email },
    { source: 'mailgun', event: 'Email Opened', ...email },
    { source: 'mailgun', event: 'Unsubscribed', ...email, ...denied },
    { source: 'postmark', event: 'Email Bounced', ...email },
    { source: 'postmark', event: 'Email Delivered', ...email },
    { source: 'postmark', event: 'Unsubscribed', ...email, ...denied },
    { source: 'sendgrid', event: 'Email Bounced', ...email },
    { source: 'sendgrid', event: 'Email Delivered', ...email },
    { source: 'sendgrid', event: 'Email Link Clicked', ...email },
    { source: 'sendgrid', event: 'Email Marked as Spam', ...email, ...denied },
    { source: 'sendgrid', event: 'Email Opened', ...email },
    { source: 'sendgrid', event: 'Unsubscribed', ...email, ...denied },
    { source: 'shopify', event: 'Order Completed', ...email },
    { source: 'stripe', event: 'Payment Succeeded', ...email },
    { source: 'twilio', event: 'SMS Delivered', ...phone },
    { source: 'twilio', event: 'SMS Received', ...phone, text: 'Where is my LAMP?' },
    { source: 'twilio', event: 'Unsubscribed', ...phone, ...denied, text: 'STOP' },
    { source: 'typeform', event: 'Survey Answered', by: 'user_id', consents: {}, text: '' },
    {
      source: 'typeform',
      event: 'Survey Answered',
      by: 'user_id',
      consents: {},
      text: 'The Delivery was late, die Lampe ist schön.',
    },
  ]);
  expect(
    await warehouse.rows(
      `SELECT source, text FROM {db}.event_texts WHERE hasAnyTokens(words, 'lamp late') ORDER BY source`,
    ),
  ).toMatchObject([{ source: 'twilio' }, { source: 'typeform' }]);
  const [order] = await warehouse.rows<{ id: string }>(
    `SELECT JSONExtractString(payload, 'properties', 'order_id') AS id FROM {db}.events WHERE source = 'shopify'`,
  );
  expect(order?.id).toBe('820982911946154508');

  const metrics = await (await fetch(`${collector.url}/metrics`)).text();
  const unwanted = (source: string, count: number): string =>
    `tributary_collector_events_total{source="${source}",outcome="dropped",reason="no_rule",service="collector"} ${count}`;
  for (const one of [unwanted('shopify', 2), unwanted('sendgrid', 2), unwanted('mailgun', 2)])
    expect(metrics).toContain(one);
});

test('what is not the provider’s own, or comes to the wrong door, is refused', async () => {
  const before = (await readAll(installation, topics.eventsCollected)).length;
  const [order] = webhooksOf(Date.now());
  if (!order) throw new Error('no webhook');
  const { query, headers, body } = order;
  expect(await answerOf(await send({ query, headers, body: body.replace('Ada', 'Eve') }))).toEqual([
    401,
    'invalid_signature',
  ]);
  expect(await answerOf(await send({ query, headers: {}, body }))).toEqual([401, 'invalid_signature']);
  expect(await answerOf(await send({ query: 'writeKey=nobody', headers, body }))).toEqual([401, 'unknown_write_key']);
  expect(await answerOf(await send({ query, headers, body: '{' }))).toEqual([400, 'invalid_json']);
  expect(await answerOf(await send({ query: 'writeKey=plain-key', headers, body }))).toEqual([403, 'wrong_endpoint']);
  const around = { method: 'POST', body: '{"event":"E","userId":"u1"}' };
  for (const path of ['track', 'batch'])
    expect(await answerOf(await fetch(`${collector.url}/v1/${path}?${query}`, around))).toEqual([
      403,
      'wrong_endpoint',
    ]);
  const got = await fetch(`${collector.url}/v1/webhook?${query}`);
  expect(await answerOf(got)).toEqual([405, 'method_not_allowed']);
  expect(await readAll(installation, topics.eventsCollected)).toHaveLength(before);
});

test('a mapping that is changed is in force without a restart; what it can make nothing of is kept with the reason', async () => {
  const source = (event: unknown) => ({
    writeKeys: [{ key: 'forms-key' }],
    webhook: { events: [{ map: { event, userId: { '@path': '$.properties.user' } } }] },
  });
  const say = (body: unknown) => send({ query: 'writeKey=forms-key', headers: {}, body: JSON.stringify(body) });
  await defineSources(installation, { forms: source('First') });
  await until('it is there', async () => (await say({ user: 'u1' })).status === 200);
  await defineSources(installation, { forms: source({ '@template': 'Form {{properties.name}}' }) }, 2);
  await until('it is changed', async () => {
    await say({ user: 'u1', name: 'Sent' });
    const all = await readAll(installation, topics.eventsCollected);
    return all.some(({ value }) => value?.event === 'Form Sent');
  });
  expect((await say({ user: 'u1', name: { toString: 'none' } })).status).toBe(200);
  expect((await say({ name: 'Sent' })).status).toBe(200);
  const rejected = (await readAll(installation, topics.eventsRejected)).map(({ value }) => value);
  expect(rejected.map((one) => one?.reason).sort()).toEqual(['mapping_failed', 'no_identifier']);
  const failed = rejected.find((one) => one?.reason === 'mapping_failed');
  expect(JSON.parse(String(failed?.payload))).toEqual({ user: 'u1', name: { toString: 'none' } });
});
