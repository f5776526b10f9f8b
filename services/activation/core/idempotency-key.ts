import { createHash } from 'node:crypto';

/** What makes one delivery of an event the same as another: a message id is unique only within its source. */
export interface EventDelivery {
  readonly destination: string;
  readonly action: string;
  readonly source: string;
  readonly messageId: string;
}

/** The same for the same delivery, however often it is planned or sent: 32 hexadecimal digits. */
export const idempotencyKeyOf = ({ destination, action, source, messageId }: EventDelivery): string =>
  createHash('sha256')
    .update(JSON.stringify([destination, action, source, messageId]))
    .digest('hex')
    .slice(0, 32);
