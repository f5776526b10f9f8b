import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { DefinitionBodies } from '#shared/definitions/kinds.ts';
import { validateDefinitions } from '#shared/definitions/validate.ts';

/** What a provider would send, in the shape that its documentation shows; the people are made up. */
export interface SentWebhook {
  readonly provider: Provider;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
export const providers = ['shopify', 'stripe', 'sendgrid', 'mailgun', 'postmark', 'twilio', 'typeform'] as const;
export type Provider = (typeof providers)[number];

const sendgrid = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** The example that docs/examples/webhooks has, with a key that a test can sign with. */
export function exampleSource(provider: Provider): DefinitionBodies['source'] {
  const file = new URL(`../../docs/examples/webhooks/${provider}.yaml`, import.meta.url);
  const read = validateDefinitions(readFileSync(file, 'utf8'), provider);
  if ('errors' in read) throw new Error(read.errors.join('\n'));
  const body = read.definitions[0]?.body as DefinitionBodies['source'];
  if (body.webhook?.verify?.scheme === 'sendgrid')
    body.webhook.verify.publicKeys = [sendgrid.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')];
  return body;
}

/** A number as it shall stand in JSON: more than JavaScript holds. */
const raw = (digits: string): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(digits);

const keyOf = (provider: Provider): string => `change-this-write-key-of-${provider}`;
const JSON_TYPE = { 'content-type': 'application/json' };

export function fromShopify(topic: string, id: string, body: unknown): SentWebhook {
  const text = JSON.stringify(body);
  const signature = createHmac('sha256', 'the-secret-that-shopify-shows').update(text).digest('base64');
  const headers = { 'x-shopify-topic': topic, 'x-shopify-webhook-id': id, 'x-shopify-hmac-sha256': signature };
  return {
    provider: 'shopify',
    query: `writeKey=${keyOf('shopify')}`,
    headers: { ...JSON_TYPE, ...headers },
    body: text,
  };
}

export function fromStripe(body: unknown, now: number): SentWebhook {
  const text = JSON.stringify(body);
  const time = Math.floor(now / 1_000);
  const signature = createHmac('sha256', 'whsec_the-signing-secret').update(`${time}.${text}`).digest('hex');
  const headers = { 'stripe-signature': `t=${time},v1=${'0'.repeat(64)},v1=${signature},v0=x` };
  return {
    provider: 'stripe',
    query: `writeKey=${keyOf('stripe')}`,
    headers: { ...JSON_TYPE, ...headers },
    body: text,
  };
}

export function fromSendgrid(events: readonly unknown[], now: number): SentWebhook {
  const text = `${JSON.stringify(events)}\r\n`;
  const time = String(Math.floor(now / 1_000));
  const headers = {
    'x-twilio-email-event-webhook-timestamp': time,
    'x-twilio-email-event-webhook-signature': sign('sha256', Buffer.from(time + text), sendgrid.privateKey).toString(
      'base64',
    ),
  };
  return {
    provider: 'sendgrid',
    query: `writeKey=${keyOf('sendgrid')}`,
    headers: { ...JSON_TYPE, ...headers },
    body: text,
  };
}

/** @param seconds when it is sent */
function fromMailgun(eventData: object, seconds: number): SentWebhook {
  const timestamp = String(seconds);
  const token = 'a'.repeat(50);
  const signature = createHmac('sha256', 'the-webhook-signing-key')
    .update(timestamp + token)
    .digest('hex');
  const body = JSON.stringify({ signature: { timestamp, token, signature }, 'event-data': eventData });
  return { provider: 'mailgun', query: `writeKey=${keyOf('mailgun')}`, headers: JSON_TYPE, body };
}

export const fromPostmark = (body: unknown): SentWebhook => ({
  provider: 'postmark',
  query: '',
  headers: { ...JSON_TYPE, authorization: `Basic ${btoa(`${keyOf('postmark')}:any`)}` },
  body: JSON.stringify(body),
});

export function fromTwilio(fields: Readonly<Record<string, string>>): SentWebhook {
  const url = `https://events.example.com/v1/webhook?writeKey=${keyOf('twilio')}`;
  const sorted = Object.keys(fields).sort();
  const signed = url + sorted.map((name) => name + fields[name]).join('');
  return {
    provider: 'twilio',
    query: `writeKey=${keyOf('twilio')}`,
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      'x-twilio-signature': createHmac('sha1', 'the-auth-token').update(signed).digest('base64'),
    },
    body: new URLSearchParams(fields).toString(),
  };
}

export function fromTypeform(body: unknown): SentWebhook {
  const text = JSON.stringify(body);
  const signature = createHmac('sha256', 'the-secret-of-the-webhook').update(text).digest('base64');
  const headers = { ...JSON_TYPE, 'typeform-signature': `sha256=${signature}` };
  return { provider: 'typeform', query: `writeKey=${keyOf('typeform')}`, headers, body: text };
}

const order = {
  id: raw('820982911946154508'),
  admin_graphql_api_id: 'gid://shopify/Order/820982911946154508',
  cancelled_at: null,
  created_at: '2026-01-05T12:10:11-05:00',
  currency: 'EUR',
  discount_codes: [{ code: 'SPRING', amount: '5.00', type: 'fixed_amount' }],
  email: 'Ada@Example.com',
  name: '#9999',
  subtotal_price: '388.00',
  total_discounts: '20.00',
  total_price: '398.50',
  total_tax: '10.50',
  customer: { id: 115310627314723950, email: 'ada@example.com', first_name: 'Ada', last_name: 'Example' },
  line_items: [
    {
      id: 866550311766439000,
      product_id: 788032119674292900,
      sku: 'A-1',
      title: 'A lamp',
      variant_title: 'red',
      price: '199.00',
      quantity: 1,
    },
    {
      id: 141249953214522980,
      product_id: 788032119674292900,
      sku: 'A-2',
      title: 'A lamp',
      variant_title: null,
      price: '199.00',
      quantity: 1,
    },
  ],
};

const mail = {
  email: 'bo@example.com',
  'smtp-id': '<14c5d75ce93.dfd.64b469@ismtpd-555>',
  category: ['cat facts'],
  sg_message_id: '14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0',
};
const recipient = {
  recipient: 'cy@example.com',
  tags: ['my_tag_1'],
  message: { headers: { 'message-id': '20130503182626.18666.16540@mail.example.com' } },
};

/** At least one of each provider, in the order in which they are sent. */
export const webhooksOf = (now: number): SentWebhook[] => {
  const seconds = Math.floor(now / 1_000) - 60;
  return [
    fromShopify('orders/create', 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043', order),
    fromShopify('products/update', 'a-topic-that-no-rule-wants', { id: 1 }),
    fromStripe(
      {
        id: 'evt_1NG8Du2eZvKYlo2CUI79vXWy',
        object: 'event',
        created: seconds,
        type: 'charge.succeeded',
        data: {
          object: {
            id: 'ch_3MmlLrLkdIwHu7ix0snN0B15',
            object: 'charge',
            amount: 1_099,
            currency: 'usd',
            customer: 'cus_NffrFeUfNV2Hib',
            billing_details: { email: 'dee@example.com', name: null },
          },
        },
      },
      now,
    ),
    fromSendgrid(
      [
        { ...mail, event: 'processed', timestamp: seconds, sg_event_id: 'sg-processed' },
        { ...mail, event: 'delivered', timestamp: seconds, sg_event_id: 'sg-delivered', response: '250 OK' },
        { ...mail, event: 'open', timestamp: seconds + 1, sg_event_id: 'sg-open', ip: '255.255.255.255' },
        { ...mail, event: 'click', timestamp: seconds + 2, sg_event_id: 'sg-click', url: 'https://shop.example.com/' },
        {
          ...mail,
          event: 'bounce',
          timestamp: seconds + 3,
          sg_event_id: 'sg-bounce',
          reason: '500 unknown recipient',
          status: '5.0.0',
          type: 'bounce',
        },
        { ...mail, event: 'spamreport', timestamp: seconds + 4, sg_event_id: 'sg-spam' },
        {
          ...mail,
          event: 'group_unsubscribe',
          timestamp: seconds + 5,
          sg_event_id: 'sg-unsubscribe',
          asm_group_id: 10,
        },
      ],
      now,
    ),
    fromMailgun({ ...recipient, event: 'opened', timestamp: seconds + 0.123456, id: 'mg-opened' }, seconds),
    fromMailgun(
      { ...recipient, event: 'failed', severity: 'temporary', timestamp: seconds, id: 'mg-temporary' },
      seconds,
    ),
    fromMailgun(
      {
        ...recipient,
        event: 'failed',
        severity: 'permanent',
        reason: 'suppress-bounce',
        'delivery-status': { code: 605, message: '' },
        timestamp: seconds,
        id: 'mg-permanent',
      },
      seconds,
    ),
    fromMailgun({ ...recipient, event: 'unsubscribed', timestamp: seconds, id: 'mg-unsubscribed' }, seconds),
    fromPostmark({
      RecordType: 'Delivery',
      MessageID: 'pm-1',
      Recipient: 'eli@example.com',
      Tag: 'welcome',
      DeliveredAt: '2026-01-05T16:33:54.9070259Z',
    }),
    fromPostmark({
      RecordType: 'Bounce',
      ID: raw('4323372036854775807'),
      Type: 'HardBounce',
      MessageID: 'pm-2',
      Email: 'eli@example.com',
      Description: 'The server was unable to deliver your message',
      BouncedAt: '2026-01-05T16:33:54.9070259Z',
    }),
    fromPostmark({
      RecordType: 'SubscriptionChange',
      MessageID: 'pm-3',
      Recipient: 'eli@example.com',
      SuppressSending: true,
      SuppressionReason: 'ManualSuppression',
      ChangedAt: '2026-01-05T17:33:54Z',
    }),
    fromTwilio({
      AccountSid: 'AC0',
      ApiVersion: '2010-04-01',
      From: '+15005550006',
      To: '+15005550123',
      MessageSid: 'SM1',
      SmsSid: 'SM1',
      SmsStatus: 'delivered',
      MessageStatus: 'delivered',
    }),
    fromTwilio({
      AccountSid: 'AC0',
      From: '+15005550123',
      To: '+15005550006',
      MessageSid: 'SM2',
      SmsSid: 'SM2',
      SmsStatus: 'received',
      Body: 'Where is my LAMP?',
      NumMedia: '0',
    }),
    fromTwilio({
      AccountSid: 'AC0',
      From: '+15005550123',
      To: '+15005550006',
      MessageSid: 'SM3',
      SmsSid: 'SM3',
      SmsStatus: 'received',
      Body: 'STOP',
      OptOutType: 'STOP',
      NumMedia: '0',
    }),
    fromTypeform({
      event_id: '01H6ZK',
      event_type: 'form_response',
      form_response: {
        form_id: 'lT4Z3j',
        token: 'a3a12ec67a1365927098a606107fac15',
        submitted_at: '2026-01-18T18:17:02Z',
        hidden: { user_id: 'ada-1', email: 'ada@example.com' },
        answers: [
          { type: 'number', number: 9, field: { id: 'NRsxU591jIW9', type: 'opinion_scale', ref: 'nps' } },
          {
            type: 'text',
            text: 'The Delivery was late, die Lampe ist schön.',
            field: { id: 'JwWggjAKtOkA', type: 'long_text', ref: 'why' },
          },
        ],
      },
    }),
  ];
};
