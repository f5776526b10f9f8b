import { hash } from 'node:crypto';

/** Message ids are unique within a source: the first 128 bits of SHA-256 of source, a zero byte, message id, as 32 hexadecimal digits. */
export const messageIdHash = (source: string, messageId: string): string =>
  hash('sha256', `${source}\0${messageId}`, 'hex').slice(0, 32);
