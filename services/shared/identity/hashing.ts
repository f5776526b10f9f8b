import { createHmac, createSecretKey, hash as digest } from 'node:crypto';

/** Turns identifiers into what may stand in keys: pure functions of the installation's secret. */
export interface Hashing {
  /** Keyed hash of an identifier: 32 hexadecimal digits (HMAC-SHA-256 of type, zero byte, value; first 128 bits). */
  hash(type: string, value: string): string;
  /** Default profile id of the identifier with this hash: a UUIDv5 in the installation's secret namespace. */
  profileIdOf(hash: string): string;
}

/** @param secret the installation's secret, at least 16 bytes. */
export function hashingWith(secret: Buffer): Hashing {
  if (secret.length < 16) throw new Error('the installation secret must have at least 16 bytes');
  // As a key object: given as bytes, it would be made into one for every identifier, at seven times the cost.
  const key = createSecretKey(secret);
  const namespace = createHmac('sha256', key).update('tributary profile namespace').digest().subarray(0, 16);
  return {
    hash: (type, value) => createHmac('sha256', key).update(`${type}\0${value}`).digest('hex').slice(0, 32),
    profileIdOf: (hash) => {
      const bytes = digest('sha1', Buffer.concat([namespace, Buffer.from(hash, 'latin1')]), 'buffer').subarray(0, 16);
      bytes[6] = ((bytes[6] as number) & 0x0f) | 0x50;
      bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
      const hex = bytes.toString('hex');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
  };
}
