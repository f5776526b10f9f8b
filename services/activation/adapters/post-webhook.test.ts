import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InForce } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../../test/support/webhook-receiver.ts';
import type { Told } from '../webhook.ts';
import { postWebhook } from './post-webhook.ts';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const never = new AbortController().signal;
const told = (changes: Partial<Told> = {}): Told => ({
  idempotency_key: 'k',
  action: 'post',
  trigger: 'profile',
  profile_id: 'p',
  message_id: 'p.1',
  routing: null,
  purposes: [],
  consents: [],
  suppressed: null,
  requested_at: 0,
  webhookId: 'p.1',
  body: JSON.stringify({ type: 'profile.changed', data: { profile_id: 'p', traits: { plan: 'gold' } } }),
  ...changes,
});
const webhook = (url: string): InForce<'profile_webhook'> => ({
  kind: 'profile_webhook',
  name: 'crm',
  version: 1,
  body: definitionKinds.profile_webhook.parse({ url, secrets: [SECRET] }),
});
const fields = ['profile_id', 'traits.plan'];

let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = await startWebhookReceiver();
});
afterAll(() => receiver.close());
const answerOf = (reply: Parameters<WebhookReceiver['answerWith']>[0], timeoutMs = 5_000) => {
  receiver.answerWith(reply);
  return postWebhook(timeoutMs, true)(told(), webhook(receiver.url), never);
};

describe('posting to a webhook', () => {
  it('says which fields went out, and what was answered, without the secret', async () => {
    const answer = await answerOf(() => ({ status: 200, body: `hello ${SECRET}` }));
    expect(answer).toEqual({ kind: 'accepted', status: 200, body: 'hello [redacted]', fields });
    expect(receiver.requests.at(-1)).toMatchObject({ body: told().body, headers: { 'webhook-id': 'p.1' } });
  });

  it('follows no redirect', async () => {
    const before = receiver.requests.length;
    const answer = await answerOf(() => ({ status: 307, headers: { location: receiver.url } }));
    expect(answer).toMatchObject({ kind: 'declined', status: 307 });
    expect(receiver.requests).toHaveLength(before + 1);
  });

  it('reads no more of an answer than it keeps', async () => {
    const answer = await answerOf(() => ({ status: 200, body: 'x'.repeat(10_000_000) }));
    expect(answer).toMatchObject({ kind: 'accepted', body: 'x'.repeat(4_096) });
  });

  it.each(['silence', 'body'] as const)('gives up on an answer that does not end: %s', async (instead) => {
    expect(await answerOf(() => ({ status: 200, instead }), 200)).toEqual({ kind: 'timed_out', fields });
  });

  it('tells what cannot be reached, and how long it is to wait', async () => {
    expect(await answerOf(() => ({ status: 200, instead: 'reset' }))).toMatchObject({ kind: 'unreachable' });
    const busy = await answerOf(() => ({ status: 429, headers: { 'retry-after': '7' } }));
    expect(busy).toMatchObject({ kind: 'declined', status: 429, retryAfterMs: 7_000 });
  });

  it('does not take just any certificate', async () => {
    // Whoever does not even speak TLS has none.
    const plain = createServer((socket) => socket.end('no')).listen(0, '127.0.0.1');
    await new Promise((resolve) => plain.once('listening', resolve));
    const { port } = plain.address() as { port: number };
    const answer = await postWebhook(5_000, true)(told(), webhook(`https://127.0.0.1:${port}/`), never);
    expect(answer).toMatchObject({ kind: 'unreachable' });
    plain.close();
  });

  it.each([
    ['http://example.com/', 'insecure_url'],
    ['https://127.0.0.1/', 'private_address'],
    ['https://2130706433/', 'private_address'],
    ['https://10.1.2.3/', 'private_address'],
    ['https://169.254.169.254/latest', 'private_address'],
    ['https://[::1]/', 'private_address'],
    ['https://[::ffff:192.168.0.1]/', 'private_address'],
    ['https://[fd00::1]/', 'private_address'],
    ['https://localhost/', 'private_address'],
  ])('refuses %s unless it is told to allow it', async (url, reason) => {
    const answer = await postWebhook(5_000, false)(told(), webhook(url), never);
    expect(answer).toMatchObject({ kind: 'unsendable', reason, fields: [] });
  });

  it('sends nothing that is too large', async () => {
    const body = JSON.stringify({ data: 'x'.repeat(4 * 1024 * 1024) });
    const answer = await postWebhook(5_000, true)(told({ body }), webhook(receiver.url), never);
    expect(answer).toMatchObject({ kind: 'unsendable', reason: 'too_large' });
  });

  it('knows nothing of an attempt that it was told to stop', async () => {
    const stop = new AbortController();
    receiver.answerWith(() => ({ status: 200, instead: 'silence' }));
    const sent = postWebhook(5_000, true)(told(), webhook(receiver.url), stop.signal);
    stop.abort(new Error('stopping'));
    await expect(sent).rejects.toThrow('stopping');
  });
});
