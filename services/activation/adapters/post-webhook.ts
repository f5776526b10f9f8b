import { lookup } from 'node:dns';
import { Agent as HttpAgent, type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { withinRanges } from '#shared/definitions/address-ranges.ts';
import { keyOfSecret } from '#shared/definitions/profile-webhook.ts';
import type { Answer } from '../core/answer.ts';
import { fieldNamesOf } from '../core/field-names.ts';
import { retryAfterMs } from '../core/retry-after.ts';
import { signWebhook } from '../core/standard-webhook.ts';
import type { Send } from '../destination.ts';
import type { Told } from '../webhook.ts';

const MOST_BODY_BYTES = 4 * 1024 * 1024;
/** A longer answer is not read to its end. */
const MOST_ANSWER_BYTES = 4_096;

/** Not on the internet: special-purpose addresses of IANA's registries, among them this machine's and clouds' metadata services. */
const isPrivate = withinRanges([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  '::/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
]);

class NotPublic extends Error {
  readonly code = 'private_address';
}

/** Looks a name up, and refuses it where any of its addresses is private: what is checked is what is connected to. */
const publicLookup: LookupFunction = (hostname, options, callback) =>
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, []);
    if (addresses.some(({ address }) => isPrivate(address))) return callback(new NotPublic('a private address'), []);
    if (options.all) return callback(null, addresses);
    const [first] = addresses;
    callback(null, first?.address ?? '', first?.family);
  });

/**
 * Posts to webhooks, signed. Redirects are not followed, certificates are checked.
 * @param timeoutMs how long one attempt may take, the answer included
 * @param allowPrivate whether `http:` and addresses that are not on the internet may be sent to
 */
export function postWebhook(timeoutMs: number, allowPrivate: boolean): Send<Told, 'profile_webhook'> {
  const agents = { 'http:': new HttpAgent({ keepAlive: true }), 'https:': new HttpsAgent({ keepAlive: true }) };

  function post(url: URL, options: RequestOptions, body: string): Promise<{ answer: IncomingMessage; text: string }> {
    return new Promise((resolve, reject) => {
      const secure = url.protocol === 'https:';
      const request = (secure ? requestHttps : requestHttp)(url, {
        ...options,
        method: 'POST',
        agent: agents[secure ? 'https:' : 'http:'],
        ...(allowPrivate ? {} : { lookup: publicLookup }),
      });
      request.on('error', reject);
      request.on('response', (answer) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        const end = (): void => resolve({ answer, text: Buffer.concat(chunks).toString().slice(0, MOST_ANSWER_BYTES) });
        answer.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes <= MOST_ANSWER_BYTES) return;
          end();
          answer.destroy();
        });
        answer.on('end', end);
        answer.on('error', reject);
      });
      request.end(body);
    });
  }

  return async ({ webhookId, body }, inForce, stop) => {
    stop.throwIfAborted();
    const { url: address, secrets } = inForce.body;
    const url = new URL(address);
    const refused = (reason: string, message: string): Answer => ({ kind: 'unsendable', reason, message, fields: [] });
    if (!allowPrivate) {
      if (url.protocol !== 'https:') return refused('insecure_url', 'the URL must begin with https://');
      const host = url.hostname.replace(/^\[|\]$/g, '');
      if (isIP(host) !== 0 && isPrivate(host)) return refused('private_address', 'the URL has a private address');
    }
    const length = Buffer.byteLength(body);
    if (length > MOST_BODY_BYTES)
      return refused('too_large', `the profile has ${length} bytes, more than ${MOST_BODY_BYTES}`);
    const fields = fieldNamesOf((JSON.parse(body) as { data: unknown }).data);
    const keys = secrets.flatMap((secret) => keyOfSecret(secret) ?? []);
    const timeout = AbortSignal.timeout(timeoutMs);
    const headers = {
      ...signWebhook(webhookId, Math.floor(Date.now() / 1_000), body, keys),
      'content-type': 'application/json',
      'content-length': length,
      'user-agent': 'Tributary',
    };
    try {
      const { answer, text } = await post(url, { headers, signal: AbortSignal.any([stop, timeout]) }, body);
      const status = answer.statusCode ?? 0;
      const clean = secrets.reduce((told, secret) => told.replaceAll(secret, '[redacted]'), text);
      if (status >= 200 && status < 300) return { kind: 'accepted', status, body: clean, fields };
      const after = retryAfterMs(answer.headers['retry-after'] ?? null, Date.now());
      return { kind: 'declined', status, body: clean, retryAfterMs: after, fields };
    } catch (error) {
      stop.throwIfAborted();
      if (timeout.aborted) return { kind: 'timed_out', fields };
      if (error instanceof NotPublic) return refused('private_address', 'the URL leads to a private address');
      const { code } = error as NodeJS.ErrnoException;
      return { kind: 'unreachable', code: typeof code === 'string' ? code : 'unknown', fields };
    }
  };
}
