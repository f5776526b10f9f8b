import { describe, expect, it } from 'vitest';
import { keyOfSecret } from '#shared/definitions/profile-webhook.ts';
import { signWebhook } from './standard-webhook.ts';

const key = (secret: string): Buffer => keyOfSecret(secret) as Buffer;
const PUBLISHED = key('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
const OTHER = key(`whsec_${Buffer.alloc(32, 7).toString('base64')}`);

describe('the signature of a webhook', () => {
  it('is the one that the published libraries make', () => {
    expect(signWebhook('msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, '{"test": 2432232314}', [PUBLISHED])).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('is made with each key, so that one can be changed for another', () => {
    const both = signWebhook('a', 1, 'ü', [PUBLISHED, OTHER])['webhook-signature'];
    const each = [PUBLISHED, OTHER].map((one) => signWebhook('a', 1, 'ü', [one])['webhook-signature']);
    expect(both).toBe(each.join(' '));
    expect(each[0]).not.toBe(each[1]);
  });
});
