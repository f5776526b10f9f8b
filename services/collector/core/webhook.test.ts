import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DefinitionBodies, definitionKinds } from '#shared/definitions/kinds.ts';
import { exampleSource, type Provider, providers, webhooksOf } from '../../../test/support/webhooks.ts';
import { envelope } from './envelope.fixture.ts';
import { unmapped } from './event.ts';
import { mapWebhook, webhookRules } from './webhook.ts';
import { parseWebhook } from './webhook-body.ts';

const NOW = Date.UTC(2026, 0, 20);
type Settings = NonNullable<DefinitionBodies['source']['webhook']>;

const settings = (...events: object[]): Settings =>
  definitionKinds.source.parse({ writeKeys: [{ key: 'some-key' }], webhook: { events } }).webhook as Settings;

function mapped(of: Settings, text: string, headers: Record<string, string> = {}, mostBytes = 1_000_000) {
  const bytes = Buffer.from(text);
  const parsed = parseWebhook(bytes, headers['content-type']);
  if ('status' in parsed) return parsed;
  return mapWebhook(
    webhookRules(of).lists,
    { bytes, body: parsed.body, headers, query: 'writeKey=k&shop=eu' },
    mostBytes,
  );
}
function eventsOf(...args: Parameters<typeof mapped>): Record<string, unknown>[] {
  const result = mapped(...args);
  if ('status' in result) throw new Error(result.code);
  return result.made.map((one) => ('event' in one ? one.event : { fault: one.fault, text: one.text }));
}
const about = { userId: { '@path': '$.properties.user' } };

/** Name, id, what is said of consent. */
const inShort = ({ type, event, messageId, context }: Record<string, unknown>): string => {
  const { consent } = (context ?? {}) as { consent?: { categoryPreferences: { marketing: boolean } } };
  const said = consent ? `, marketing ${consent.categoryPreferences.marketing}` : '';
  return `${type === 'track' ? event : type} ${String(messageId).replace(/^[0-9a-f]{32}(?=-\d+-\d+$)/, 'HASH')}${said}`;
};
const made = (provider: Provider): Record<string, unknown>[] =>
  webhooksOf(NOW)
    .filter((one) => one.provider === provider)
    .flatMap(({ body, headers }) => eventsOf(exampleSource(provider).webhook as Settings, body, headers));

describe('what providers send becomes events of standard names, by the examples of the documentation', () => {
  test.each([
    ['shopify', ['Order Completed b54557e4-bdd9-4b37-8a5f-bf7d70bcd043']],
    ['stripe', ['Payment Succeeded evt_1NG8Du2eZvKYlo2CUI79vXWy']],
    [
      'sendgrid',
      [
        'Email Delivered sg-delivered',
        'Email Opened sg-open',
        'Email Link Clicked sg-click',
        'Email Bounced sg-bounce',
        'Email Marked as Spam sg-spam, marketing false',
        'Unsubscribed sg-unsubscribe, marketing false',
      ],
    ],
    [
      'mailgun',
      ['Email Opened mg-opened', 'Email Bounced mg-permanent', 'Unsubscribed mg-unsubscribed, marketing false'],
    ],
    [
      'postmark',
      [
        'Email Delivered HASH-0-0',
        'Email Bounced bounce-4323372036854775807',
        'Unsubscribed HASH-5-0, marketing false',
      ],
    ],
    ['twilio', ['SMS Delivered SM1-delivered', 'SMS Received SM2', 'Unsubscribed SM3, marketing false']],
    [
      'typeform',
      [
        'Survey Answered a3a12ec67a1365927098a606107fac15-NRsxU591jIW9',
        'Survey Answered a3a12ec67a1365927098a606107fac15-JwWggjAKtOkA',
      ],
    ],
  ] as const)('%s', (provider, expected) => {
    expect(made(provider).map(inShort)).toEqual(expected);
  });

  test('with all that belongs to an order', () => {
    expect(made('shopify')).toEqual([
      {
        type: 'track',
        event: 'Order Completed',
        messageId: 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
        timestamp: '2026-01-05T12:10:11-05:00',
        context: {
          traits: { email: 'Ada@Example.com' },
          externalIds: [{ type: 'shopify', id: '115310627314723950' }],
        },
        properties: {
          order_id: '820982911946154508',
          order_number: '#9999',
          currency: 'EUR',
          total: '398.50',
          revenue: '388.00',
          tax: '10.50',
          discount: '20.00',
          coupon: 'SPRING',
          products: [
            {
              product_id: '788032119674292900',
              sku: 'A-1',
              name: 'A lamp',
              variant: 'red',
              price: '199.00',
              quantity: 1,
            },
            {
              product_id: '788032119674292900',
              sku: 'A-2',
              name: 'A lamp',
              variant: null,
              price: '199.00',
              quantity: 1,
            },
          ],
        },
      },
    ]);
  });

  test('with amounts in the currency’s own unit', () => {
    expect(made('stripe')).toMatchObject([
      { timestamp: NOW - 60_000, properties: { amount: '10.99', currency: 'USD' } },
    ]);
    const of = exampleSource('stripe').webhook as Settings;
    const charge = { type: 'charge.succeeded', data: { object: { amount: 1_099, currency: 'jpy' } } };
    expect(eventsOf(of, JSON.stringify(charge))).toMatchObject([{ properties: { amount: '1099', currency: 'JPY' } }]);
  });
});

test('an order’s line items are events by themselves, beside that of the order', () => {
  const of = settings(
    { map: { event: 'Order Completed', ...about } },
    {
      each: '$.lines.all',
      when: 'properties.quantity >= 2',
      map: {
        event: 'Product Ordered',
        userId: { '@path': '$.context.body.user' },
        properties: { '@path': '$.properties' },
      },
    },
  );
  const body = { user: 'u1', lines: { all: [{ quantity: 1 }, { quantity: 2 }, { quantity: 3 }] } };
  expect(eventsOf(of, JSON.stringify(body))).toMatchObject([
    { type: 'track', event: 'Order Completed', userId: 'u1' },
    { event: 'Product Ordered', userId: 'u1', properties: { quantity: 2 } },
    { event: 'Product Ordered', properties: { quantity: 3 } },
  ]);
  expect(mapped(of, JSON.stringify(body))).toMatchObject({ unwanted: 1 });
});

test('the same words have the same message ids, and no two events of one webhook share one', () => {
  const of = settings(
    { each: '$', map: { event: 'A', ...about } },
    { each: '$', map: { event: 'B', ...about } },
    { each: '$', map: { event: 'C', ...about, messageId: { '@path': '$.properties.id' } } },
    { each: '$', map: { event: 'D', ...about, messageId: { '@path': '$.properties.id' } } },
  );
  const ids = (text: string): unknown[] => eventsOf(of, text).map(({ messageId }) => messageId);
  const text = '[{"user":"u","id":"i1"},{"user":"u","id":"i2"},{"user":"u","id":"i1"}]';
  expect(ids(text)).toEqual(ids(text));
  expect(ids(`${text} `)).not.toEqual(ids(text));
  // What the provider itself says twice is once the same event.
  expect(new Set(ids(text)).size).toBe(ids(text).length - 2);
  expect(ids(text)).toEqual(expect.arrayContaining(['i1', 'i1-3', 'i2', 'i2-3']));
  // What is no id counts as none.
  expect(
    ids('[{"user":"u","id":{}},{"user":"u","id":" "}]').every((id) => /^[0-9a-f]{32}-\d-\d$/.test(String(id))),
  ).toBe(true);
});

test('a mapping sees headers and query, but no keys', () => {
  const of = settings({ map: { event: 'E', userId: 'u', properties: { '@path': '$.context' } } });
  const [event] = eventsOf(of, '{}', { authorization: 'Basic eDo=', 'x-write-key': 'k', cookie: 'c', 'x-topic': 't' });
  expect(event?.properties).toEqual({ body: {}, headers: { 'x-topic': 't' }, query: { shop: 'eu' } });
});

test.each([
  ['{"user":12345678901234567890}', '12345678901234567890'],
  ['{"user":9007199254740991}', 9007199254740991],
  ['{"user":1e400}', '1e400'],
  ['{"user":-1.5e3}', -1500],
])('numbers are as they were written: %s', (text, user) => {
  expect(eventsOf(settings({ map: { event: 'E', ...about } }), text)).toMatchObject([{ userId: user }]);
});

test.each([
  ['1690000000', 1_690_000_000_000],
  ['1690000000.5', 1_690_000_000_500],
  ['"1690000000"', 1_690_000_000_000],
  ['1690000000123', 1_690_000_000_123],
  ['"2026-01-05T12:10:11-05:00"', '2026-01-05T12:10:11-05:00'],
])('a time may be in seconds: %s', (text, timestamp) => {
  const of = settings({ map: { event: 'E', userId: 'u', timestamp: { '@path': '$.properties.at' } } });
  expect(eventsOf(of, `{"at":${text}}`)).toMatchObject([{ timestamp }]);
});

describe('a form', () => {
  test('that says one name a million times is read as soon as any other', () => {
    const parsed = parseWebhook(Buffer.from('a=1&'.repeat(1_000_000)), 'application/x-www-form-urlencoded');
    expect(parsed).toMatchObject({ body: { a: { length: 1_000_000 } } });
  });

  const of = settings({ map: { event: 'E', ...about, properties: { '@path': '$.properties' } } });
  const type = { 'content-type': 'application/x-www-form-urlencoded' };

  test('is an object of texts', () => {
    expect(eventsOf(of, 'user=u+1&a=%C3%A9&b=1&b=2&__proto__=x', type)).toMatchObject([
      { userId: 'u 1', properties: { a: 'é', b: ['1', '2'] } },
    ]);
  });

  test('is JSON where it looks like it', () => {
    expect(eventsOf(of, ' {"user":"u1"}', type)).toMatchObject([{ userId: 'u1' }]);
    expect(mapped(of, 'user=u1')).toMatchObject({ status: 400, code: 'invalid_json' });
  });
});

test('of what a directive cannot work with nothing is kept where the source keeps no whole addresses', () => {
  const [verbatim, ...without] = ([true, 'truncated', false] as const).map((keepIp) =>
    unmapped('{"ip":"203.0.113.9"}', '$: no text', { ...envelope, settings: { ...envelope.settings, keepIp } }),
  );
  expect(verbatim).toMatchObject({ value: { payload: Buffer.from('{"ip":"203.0.113.9"}') } });
  for (const one of without)
    expect(one).toMatchObject({ reason: 'mapping_failed', value: { payload: Buffer.alloc(0) } });
});

test('the same id as a number and as a text is the same', () => {
  const of = settings(
    { map: { event: 'A', ...about, messageId: { '@path': '$.properties.id' } } },
    { map: { event: 'B', ...about, messageId: { '@template': '{{properties.id}}' } } },
  );
  expect(eventsOf(of, '{"id":7,"user":"u1"}').map(({ messageId }) => messageId)).toEqual([7, '7-1']);
});

test('what a directive cannot work with is said, and kept', () => {
  const of = settings({ map: { event: { '@template': 'Order {{properties.what}}' }, userId: 'u' } });
  expect(eventsOf(of, '{"what":{"toString":1}}')).toEqual([
    { fault: expect.stringContaining('$: '), text: '{"what":{"toString":1}}' },
  ]);
});

test('what would be more than can be stored is refused before it is made', () => {
  const copies = settings({ each: '$', map: { event: 'E', userId: 'u', properties: { '@path': '$.context.body' } } });
  expect(mapped(copies, JSON.stringify(Array(2_000).fill({ a: 1 })))).toMatchObject({ status: 413, code: 'too_large' });
  const small = settings({ each: '$', map: { event: 'E', userId: 'u' } });
  expect(mapped(small, JSON.stringify(Array(10_001).fill(0)))).toMatchObject({ status: 413, code: 'too_many_events' });
  expect(mapped(small, `${'['.repeat(101)}${']'.repeat(101)}`)).toMatchObject({ status: 400, code: 'too_deep' });
  expect(mapped(small, `${'['.repeat(1_000_000)}`)).toMatchObject({ status: 400, code: 'invalid_json' });
});

test('whatever comes becomes events or a refusal', () => {
  const all = providers.map((provider) => exampleSource(provider).webhook as Settings);
  const known = webhooksOf(NOW).flatMap(({ body, headers }) => {
    const parsed = parseWebhook(Buffer.from(body), headers['content-type']);
    return 'body' in parsed ? [parsed.body as object] : [];
  });
  /** A real one with something of it replaced. */
  const mangled = fc
    .record({ body: fc.constantFrom(...known), at: fc.nat(), value: fc.jsonValue() })
    .map(({ body, at, value }) => {
      let n = 0;
      const size = JSON.stringify(body).length;
      return JSON.parse(JSON.stringify(body), (_, one: unknown) => (n++ === at % Math.min(size, 40) ? value : one));
    });
  const headers = { 'x-shopify-topic': 'orders/create' };
  fc.assert(
    fc.property(fc.oneof(mangled, fc.jsonValue()), (body) => {
      for (const of of all) {
        const result = mapped(of, JSON.stringify(body), headers);
        if ('status' in result) throw new Error(result.code);
        for (const { text } of result.made) JSON.parse(text);
      }
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.uint8Array(), fc.constantFrom(undefined, 'application/x-www-form-urlencoded'), (bytes, type) => {
      const parsed = parseWebhook(Buffer.from(bytes), type);
      if ('body' in parsed) for (const of of all) mapped(of, JSON.stringify(parsed.body));
    }),
  );
});
