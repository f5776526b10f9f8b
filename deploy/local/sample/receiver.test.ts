import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startReceiver } from './receiver.ts';

const directory = mkdtempSync(join(tmpdir(), 'tributary-receiver-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const options = { port: 0, sharedSecret: 'not so secret', file: join(directory, 'received') };

const deliver = async (url: string, key: string, secret = options.sharedSecret): Promise<number> => {
  const body = '{"event":"Order Completed"}';
  const signature = createHmac('sha1', secret).update(body).digest('hex');
  const headers = { 'X-Idempotency-Key': key, 'X-Signature': signature };
  return (await fetch(url, { method: 'POST', headers, body })).status;
};

test('the receiver counts by idempotency key, refuses what is not signed, and remembers over restarts', async () => {
  const first = await startReceiver(options);
  expect(await deliver(first.url, 'a')).toBe(200);
  expect(await deliver(first.url, 'b')).toBe(200);
  expect(await deliver(first.url, 'a')).toBe(200);
  expect(await deliver(first.url, 'c', 'another secret')).toBe(401);
  expect(Object.fromEntries(first.seen)).toEqual({ a: 2, b: 1 });
  expect(first.refused()).toBe(1);
  await first.close();

  const second = await startReceiver({ ...options, port: first.port });
  expect(second.port).toBe(first.port);
  expect(Object.fromEntries(second.seen)).toEqual({ a: 2, b: 1 });
  const third = await startReceiver({ ...options, port: first.port });
  expect(third.port).not.toBe(first.port);
  await Promise.all([second.close(), third.close()]);
});
