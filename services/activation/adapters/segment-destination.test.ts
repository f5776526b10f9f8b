import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeliveryRequest } from '#schemas/generated/records.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../../test/support/webhook-receiver.ts';
import { segmentDestinations } from './segment-destination.ts';

const SECRET = 'shared-secret-of-the-test';
const event = { type: 'track', event: 'Order Completed', properties: { revenue: 11.77 }, messageId: 'm1' };

const request = (key = 'k1', body: unknown = event): DeliveryRequest => ({
  idempotency_key: key,
  destination: 'shop',
  action: 'send',
  trigger: 'event',
  profile_id: 'p1',
  message_id: 'm1',
  routing: null,
  event: JSON.stringify(body),
  purposes: [],
  consents: [],
  suppressed: null,
  requested_at: 0,
  definitions: [],
  generation: 1,
});

describe('the webhook of the catalogue, against a real receiver', () => {
  let receiver: WebhookReceiver;
  /** A busy machine may take long. */
  const send = segmentDestinations(30_000);
  const sendHastily = segmentDestinations(300);
  const never = new AbortController().signal;
  beforeEach(async () => {
    receiver = await startWebhookReceiver({ sharedSecret: SECRET });
  });
  afterEach(() => receiver.close());

  const destination = (changes: object = {}) => ({
    kind: 'destination' as const,
    name: 'shop',
    version: 1,
    body: definitionKinds.destination.parse({
      type: 'webhook',
      action: 'send',
      subscribe: 'type = "track"',
      settings: { sharedSecret: SECRET },
      mapping: { url: receiver.url },
      ...changes,
    }),
  });

  it('delivers the event, signed, with its idempotency key', async () => {
    expect(await send(request(), destination(), never)).toEqual({
      kind: 'accepted',
      status: 200,
      body: 'ok',
      fields: [
        'batch_keys[]',
        'batch_size',
        'data.event',
        'data.messageId',
        'data.properties.revenue',
        'data.type',
        'method',
        'url',
      ],
    });
    expect(receiver.accepted).toEqual(new Map([['k1', 1]]));
    expect(JSON.parse(receiver.requests[0]?.body ?? '')).toEqual(event);
    expect(receiver.requests[0]?.headers['content-type']).toBe('application/json');
  });

  it('is refused when it signs with another secret', async () => {
    const answer = await send(request(), destination({ settings: { sharedSecret: 'another secret' } }), never);
    expect(answer).toMatchObject({ kind: 'declined', status: 401 });
  });

  it('sends what the mapping says', async () => {
    const mapping = {
      url: receiver.url,
      method: 'PUT',
      headers: { 'X-Shop': 'one' },
      data: { amount: { '@path': '$.properties.revenue' }, kind: 'order' },
    };
    await send(request(), destination({ mapping }), never);
    expect(receiver.requests[0]?.body).toBe('{"amount":11.77,"kind":"order"}');
    expect(receiver.requests[0]?.headers['x-shop']).toBe('one');
  });

  it.each([400, 404, 429, 500, 503])('reports an answer with status %i, once', async (status) => {
    receiver.answerWith(() => ({ status, body: `says ${status}`, headers: { 'retry-after': '7' } }));
    const answer = await send(request(), destination(), never);
    expect(answer).toMatchObject({ kind: 'declined', status, body: `says ${status}`, retryAfterMs: 7_000 });
    expect(receiver.requests).toHaveLength(1);
  });

  it('does not follow a redirect', async () => {
    receiver.answerWith(() => ({ status: 302, headers: { location: `${receiver.url}elsewhere` } }));
    expect(await send(request(), destination(), never)).toMatchObject({ kind: 'declined', status: 302 });
    expect(receiver.requests).toHaveLength(1);
  });

  it('reads a large answer to its end', async () => {
    receiver.answerWith(() => ({ status: 200, body: 'x'.repeat(300_000) }));
    expect(await send(request(), destination(), never)).toMatchObject({ kind: 'accepted' });
  });

  it('does not read an answer that is absurdly large', async () => {
    receiver.answerWith(() => ({ status: 200, body: 'x'.repeat(6 * 1024 * 1024) }));
    const answer = await send(request(), destination(), never);
    expect(answer).toMatchObject({ kind: 'unsendable', reason: 'answer_too_large' });
  });

  it.each(['silence', 'body'] as const)('gives up waiting for a receiver that hangs: %s', async (instead) => {
    receiver.answerWith(() => ({ status: 200, instead }));
    expect(await sendHastily(request(), destination(), never)).toMatchObject({ kind: 'timed_out' });
    receiver.answerWith(() => ({ status: 200 }));
    expect(await send(request('k2'), destination(), never)).toMatchObject({ kind: 'accepted' });
  });

  it.each(['silence', 'body'] as const)(
    'lets go at once of a receiver that hangs when told to stop: %s',
    async (instead) => {
      const patient = segmentDestinations(3_600_000);
      const stop = new AbortController();
      receiver.answerWith(() => ({ status: 200, instead }));
      const sending = patient(request(), destination(), stop.signal);
      sending.catch(() => undefined);
      while (receiver.requests.length === 0) await sleep(5);
      await sleep(20);
      stop.abort();
      await expect(sending).rejects.toThrow();
      await expect(patient(request('k2'), destination(), stop.signal)).rejects.toThrow();
      expect(receiver.requests).toHaveLength(1);
    },
  );

  it('reports a receiver that is not there, without its address', async () => {
    const gone = destination({ mapping: { url: receiver.url } });
    await receiver.close();
    const answer = await send(request(), gone, never);
    expect(answer).toMatchObject({ kind: 'unreachable', code: 'ECONNREFUSED' });
    expect(JSON.stringify(answer)).not.toContain('127.0.0.1');
  });

  it('reports a connection that was cut', async () => {
    receiver.answerWith(() => ({ status: 200, instead: 'reset' }));
    expect(await send(request(), destination(), never)).toMatchObject({ kind: 'unreachable' });
  });

  it('keeps a secret out of what it reports, even if the receiver repeats it', async () => {
    receiver.answerWith(({ headers }) => ({ status: 400, body: `bad: ${SECRET} ${String(headers['x-signature'])}` }));
    expect(JSON.stringify(await send(request(), destination(), never))).not.toContain(SECRET);
  });

  it.each([
    ['an unknown type', { type: 'no-such-destination' }, 'unknown_destination'],
    ['a type that is a path', { type: '../webhook' }, 'unknown_destination'],
    ['an unknown action', { action: 'constructor' }, 'unknown_action'],
    ['a mapping without a url', { mapping: {} }, 'invalid_mapping'],
    ['an address taken from the event', { mapping: { url: { '@path': '$.properties.url' } } }, 'invalid_mapping'],
    ['an address that is none', { mapping: { url: 'shop' } }, 'invalid_payload'],
    ['a header that cannot be', { mapping: { url: 'http://127.0.0.1/', headers: { 'a b': 'c' } } }, 'invalid_payload'],
  ])('cannot send with %s', async (_, changes, reason) => {
    expect(await send(request(), destination(changes), never)).toMatchObject({ kind: 'unsendable', reason });
    expect(receiver.requests).toEqual([]);
  });

  it('tells apart what many attempts at once sent and got', async () => {
    receiver.answerWith(({ key }) => ({
      status: Number(key) % 2 === 0 ? 200 : 400,
      body: key,
      afterMs: Number(key) % 7,
    }));
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => send(request(String(i), { [`field${i}`]: i }), destination(), never)),
    );
    answers.forEach((answer, i) => {
      expect(answer).toMatchObject({ kind: i % 2 === 0 ? 'accepted' : 'declined', body: String(i) });
      expect(answer.fields).toContain(`data.field${i}`);
    });
  });
});
