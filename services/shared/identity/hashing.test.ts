import { createHash, createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { hashingWith } from './hashing.ts';

const secret = Buffer.from('a secret of this installation, 32+');
const hashing = hashingWith(secret);

test('an identifier’s hash is the first half of HMAC-SHA-256 over type, zero byte and value', () => {
  const expected = createHmac('sha256', secret).update('email\0x@example.com').digest('hex').slice(0, 32);
  expect(hashing.hash('email', 'x@example.com')).toBe(expected);
});

test('type and value cannot be mistaken for each other', () => {
  expect(hashing.hash('external_id:a', 'b')).not.toBe(hashing.hash('external_id', 'a:b'));
});

test('the default profile id is the UUIDv5 of the hash in a secret namespace', () => {
  const namespace = createHmac('sha256', secret).update('tributary profile namespace').digest().subarray(0, 16);
  const hash = hashing.hash('user_id', 'u1');
  const sha1 = createHash('sha1').update(namespace).update(hash).digest('hex');
  const id = hashing.profileIdOf(hash);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(id.slice(0, 8)).toBe(sha1.slice(0, 8));
  expect(id.slice(24)).toBe(sha1.slice(20, 32));
});

test('another secret gives other hashes and other profile ids; a short one is refused', () => {
  const other = hashingWith(Buffer.from('another secret, of another place'));
  expect(other.hash('user_id', 'u1')).not.toBe(hashing.hash('user_id', 'u1'));
  expect(other.profileIdOf('0'.repeat(32))).not.toBe(hashing.profileIdOf('0'.repeat(32)));
  expect(() => hashingWith(Buffer.from('short'))).toThrow(/at least 16 bytes/);
});
