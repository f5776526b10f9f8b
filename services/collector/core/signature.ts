import { createHmac, createPublicKey, timingSafeEqual, verify as verifySigned } from 'node:crypto';
import type { DefinitionBodies } from '#shared/definitions/kinds.ts';
import { objectOf } from './object-of.ts';

export type Verify = NonNullable<NonNullable<DefinitionBodies['source']['webhook']>['verify']>;

/** What a provider signs. */
export interface Signed {
  /** The body as it came. */
  readonly bytes: Buffer;
  /** The same, parsed. */
  readonly body: unknown;
  readonly header: (name: string) => string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Whether a webhook was signed with one of the secrets. */
export function isSigned(verify: Verify, { bytes, body, header, now }: Signed): boolean {
  switch (verify.scheme) {
    case 'hmac': {
      const { algorithm, encoding, prefix } = verify;
      const given = header(verify.header) ?? '';
      if (!given.startsWith(prefix)) return false;
      return matches(verify.secrets, algorithm, [bytes], Buffer.from(given.slice(prefix.length).trim(), encoding));
    }
    case 'stripe': {
      const parts = (header('stripe-signature') ?? '').split(',').map((part) => part.trim());
      const time = parts.find((part) => part.startsWith('t='))?.slice(2) ?? '';
      if (!isNear(time, verify.toleranceSeconds, now)) return false;
      return parts
        .filter((part) => part.startsWith('v1='))
        .some((part) => matches(verify.secrets, 'sha256', [`${time}.`, bytes], Buffer.from(part.slice(3), 'hex')));
    }
    case 'twilio': {
      const fields = Object.entries(objectOf(body)).sort(([a], [b]) => (a < b ? -1 : 1));
      // What is no form has members, or is a list, of which nothing would be signed.
      if (Array.isArray(body) || !fields.every(([, value]) => [value].flat().every(isText))) return false;
      const text = fields
        .map(([name, value]) =>
          [value]
            .flat()
            .map((one) => `${name}${one}`)
            .join(''),
        )
        .join('');
      const given = Buffer.from(header('x-twilio-signature') ?? '', 'base64');
      return matches(verify.secrets, 'sha1', [verify.url, text], given);
    }
    case 'mailgun': {
      const { timestamp, token, signature } = objectOf(objectOf(body).signature);
      if (!isText(timestamp) || !isText(token) || !isText(signature)) return false;
      // It signs nothing of what the webhook says: whoever has one signature could say anything with it.
      if (!isNear(timestamp, verify.toleranceSeconds, now)) return false;
      return matches(verify.secrets, 'sha256', [timestamp, token], Buffer.from(signature, 'hex'));
    }
    case 'sendgrid': {
      const time = header('x-twilio-email-event-webhook-timestamp') ?? '';
      const given = Buffer.from(header('x-twilio-email-event-webhook-signature') ?? '', 'base64');
      const signed = Buffer.concat([Buffer.from(time), bytes]);
      return verify.publicKeys.some((key) => {
        const publicKey = createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' });
        return verifySigned('sha256', signed, publicKey, given);
      });
    }
  }
}

const isText = (value: unknown): value is string => typeof value === 'string';

/** @param time seconds since 1970, as they were signed */
const isNear = (time: string, toleranceSeconds: number, now: number): boolean =>
  /^\d{1,12}$/.test(time) && Math.abs(now - Number(time) * 1_000) <= toleranceSeconds * 1_000;

function matches(
  secrets: readonly string[],
  algorithm: string,
  signed: readonly (string | Buffer)[],
  given: Buffer,
): boolean {
  return secrets.some((secret) => {
    const hmac = createHmac(algorithm, secret);
    for (const part of signed) hmac.update(part);
    const digest = hmac.digest();
    return digest.length === given.length && timingSafeEqual(digest, given);
  });
}
