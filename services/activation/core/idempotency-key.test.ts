import { expect, it } from 'vitest';
import { idempotencyKeyOf } from './idempotency-key.ts';

const delivery = { destination: 'shop', action: 'send', source: 'web', messageId: 'm1' };

it('is the same for the same delivery, so that receivers can tell a repeat', () => {
  expect(idempotencyKeyOf(delivery)).toBe('cf7e865b780b34c2c6c6edb0a9b780cf');
});

it.each([
  { destination: 'shop2' },
  { action: 'other' },
  { source: 'app' },
  { messageId: 'm2' },
  { source: 'we', messageId: 'bm1' },
])('differs where the delivery differs in %o', (change) => {
  expect(idempotencyKeyOf({ ...delivery, ...change })).not.toBe(idempotencyKeyOf(delivery));
});
