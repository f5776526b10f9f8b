import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { exampleSource, providers, type SentWebhook, webhooksOf } from '../../../test/support/webhooks.ts';
import { isSigned, type Verify } from './signature.ts';
import { parseWebhook } from './webhook-body.ts';

const NOW = Date.UTC(2026, 0, 20);
const sent = (provider: string): SentWebhook => webhooksOf(NOW).find((one) => one.provider === provider) as SentWebhook;

function signed(verify: Verify, { body, headers }: Pick<SentWebhook, 'body' | 'headers'>, now = NOW): boolean {
  const bytes = Buffer.from(body);
  const parsed = parseWebhook(bytes, headers['content-type']);
  if ('status' in parsed) throw new Error(parsed.code);
  return isSigned(verify, { bytes, body: parsed.body, header: (name) => headers[name.toLowerCase()], now });
}
const verifyOf = (scheme: object): Verify =>
  definitionKinds.source.parse({
    writeKeys: [{ key: 'some-key' }],
    webhook: { verify: scheme, events: [{ map: { event: 'E', userId: 'u' } }] },
  }).webhook?.verify as Verify;

describe.each(providers.filter((provider) => provider !== 'postmark'))('%s', (provider) => {
  const verify = exampleSource(provider).webhook?.verify as Verify;
  const webhook = sent(provider);

  test('what it signed is its own', () => {
    expect(signed(verify, webhook)).toBe(true);
  });

  test('what was changed, was signed with another secret or is not signed is not', () => {
    const { body, headers } = webhook;
    const changed = provider === 'mailgun' ? body.replace('aaaa', 'aaab') : body.replace(/"([^"]+)"/, '"x$1"');
    const forms = provider === 'twilio' ? body.replace('AC0', 'AC1') : changed;
    expect(signed(verify, { headers, body: forms })).toBe(false);
    const other = 'secrets' in verify ? { ...verify, secrets: ['another'] } : exampleKey;
    expect(signed(other, webhook)).toBe(false);
    const { 'content-type': type = '' } = headers;
    const unsigned = provider === 'mailgun' ? body.replace('"signature":{', '"other":{') : body;
    expect(signed(verify, { headers: { 'content-type': type }, body: unsigned })).toBe(false);
  });

  test('while a secret is being changed, both hold', () => {
    if ('secrets' in verify) expect(signed({ ...verify, secrets: ['another', ...verify.secrets] }, webhook)).toBe(true);
  });
});

const exampleKey: Verify = {
  scheme: 'sendgrid',
  publicKeys: [
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE3FN/sScFcz8rPVe2wvXs1AhPmAFYUM+w362UDgkf+Fd3VW/t/mkAm+MtjKkKOWyNHzTbzh3IqUSTD/KEboOOvA==',
  ],
};

test('what Stripe signed more than five minutes ago is refused: somebody may have kept it', () => {
  const verify = exampleSource('stripe').webhook?.verify as Verify;
  expect(signed(verify, sent('stripe'), NOW + 299_000)).toBe(true);
  expect(signed(verify, sent('stripe'), NOW + 302_000)).toBe(false);
  expect(signed(verify, sent('stripe'), NOW - 302_000)).toBe(false);
});

test('what Mailgun signed yesterday is refused: its signature fits any body', () => {
  const verify = exampleSource('mailgun').webhook?.verify as Verify;
  expect(signed(verify, sent('mailgun'), NOW + 80_000_000)).toBe(true);
  expect(signed(verify, sent('mailgun'), NOW + 90_000_000)).toBe(false);
});

test('Twilio signs forms only: of a list, or an object in it, nothing would be signed', () => {
  const verify = verifyOf({ scheme: 'twilio', url: 'https://shop.example.com/', secrets: ['12345'] });
  const by = (body: unknown, text: string): boolean => {
    const signature = createHmac('sha1', '12345').update(`https://shop.example.com/${text}`).digest('base64');
    return isSigned(verify, { bytes: Buffer.alloc(0), body, header: () => signature, now: 0 });
  };
  expect(by({ a: ['1', '2'], b: '3' }, 'a1a2b3')).toBe(true);
  expect(by([{ From: '+1' }], '')).toBe(false);
  expect(by({ a: { b: 1 } }, 'a[object Object]')).toBe(false);
  expect(by({ a: { toString: 1 } }, '')).toBe(false);
});

test('the published examples of GitHub and Twilio are right', () => {
  const github = verifyOf({
    scheme: 'hmac',
    header: 'X-Hub-Signature-256',
    prefix: 'sha256=',
    secrets: ["It's a Secret to Everybody"],
  });
  const digest = '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  const bytes = Buffer.from('Hello, World!');
  const by = (header: string) => isSigned(github, { bytes, body: '', header: () => header, now: 0 });
  expect([`sha256=${digest}`, digest, `sha1=${digest}`, `sha256=${digest.slice(2)}`, 'sha256='].map(by)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ]);
  const twilio = verifyOf({ scheme: 'twilio', url: 'https://mycompany.com/myapp.php?foo=1&bar=2', secrets: ['12345'] });
  const body = {
    CallSid: 'CA1234567890ABCDE',
    Caller: '+12349013030',
    Digits: '1234',
    From: '+12349013030',
    To: '+18005551212',
  };
  expect(isSigned(twilio, { bytes, body, header: () => '0/KCTR6DLpKmkAf8muzZqo1nDgQ=', now: 0 })).toBe(true);
});
