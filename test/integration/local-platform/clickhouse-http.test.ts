import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningPlatform, startPlatform } from '../../support/platform.ts';

let running: RunningPlatform;
beforeAll(async () => {
  running = await startPlatform({
    parts: ['clickhouse'],
    env: { TRIBUTARY_CLICKHOUSE_MAX_REQUEST_BYTES: '1000000', TRIBUTARY_CLICKHOUSE_MAX_RESULT_BYTES: '1000000' },
  });
});
afterAll(() => running?.stop());

const address = () => ({ url: running.clickhouseUrl, password: running.clickhousePassword });

describe('the embedded ClickHouse’s limits', () => {
  const ask = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}, query = '') =>
    fetch(`${address().url}/?${query}`, {
      method: 'POST',
      headers: { 'X-ClickHouse-Key': address().password, ...headers },
      body,
    });

  it('refuses a request that is too large, also one that is only large when unpacked', async () => {
    const large = `SELECT '${'x'.repeat(1_100_000)}'`;
    const plain = await ask(large).catch(() => undefined);
    expect(plain === undefined || plain.status === 413).toBe(true);
    const packed = await ask(gzipSync(large), { 'Content-Encoding': 'gzip' });
    expect(packed.status).toBe(413);
    expect(await packed.text()).toMatch(/^Code: 307\. /);
  });

  it('refuses a result that it would have to hold whole, and streams the same in another format', async () => {
    const sql = 'SELECT number, repeat(toString(number % 10), 100) FROM numbers(100000)';
    const whole = await ask(`${sql} FORMAT JSON`);
    expect(whole.headers.get('x-clickhouse-exception-code')).toBe('396');
    expect((await (await ask(`${sql} FORMAT TSV`)).text()).length).toBeGreaterThan(10_000_000);
  });

  it('says what it cannot do instead of doing something else', async () => {
    for (const response of [
      await ask("SELECT 1 INTO OUTFILE '/tmp/never'"),
      await ask("INSERT INTO FUNCTION null('a Int8') SELECT a FROM input('a Int8') FORMAT CSV\n1"),
      await ask('SELECT 1', {}, 'compress=1'),
    ])
      expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([501, '48']);
  });

  it('says in a compressed result, compressed like it, why it breaks off', async () => {
    const { url, password } = address();
    const asked = request(`${url}/?enable_http_compression=1`, {
      method: 'POST',
      headers: { 'X-ClickHouse-Key': password, 'Accept-Encoding': 'gzip' },
    });
    asked.end('SELECT number, throwIf(number = 900000) FROM numbers(1000000) SETTINGS max_threads = 1');
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const parts: Buffer[] = [];
    answer.on('data', (part: Buffer) => parts.push(part));
    await expect(once(answer, 'end')).rejects.toThrow('aborted');
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(Buffer.concat(parts)).toString()).toMatch(/\d\t0\n\nCode: 395\. DB::Exception: .*\n$/);
  });

  it('goes on answering while a long query runs', async () => {
    const long = ask('SELECT sum(sipHash64(number)) FROM numbers(100000000) SETTINGS max_threads = 1');
    let ended = false;
    void long.then(() => {
      ended = true;
    });
    expect(await (await ask('SELECT 1')).text()).toBe('1\n');
    expect(ended).toBe(false);
    expect((await long).status).toBe(200);
  });

  it('has an Atomic database for Tributary', async () => {
    expect(await (await ask("SELECT engine FROM system.databases WHERE name = 'tributary'")).text()).toBe('Atomic\n');
  });
});
