import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { addresses } from '../../support/addresses.ts';
import { type CollectorProcess, defineSources, startCollector } from '../../support/collector-process.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { readAll } from '../../support/read-all.ts';

let installation: Installation;
let collector: CollectorProcess;

beforeAll(async () => {
  installation = await createInstallation(addresses());
  await defineSources(installation, {
    erp: { writeKeys: [{ key: 'erp-key' }] },
    slow: { writeKeys: [{ key: 'slow-key' }], rateLimit: { eventsPerSecond: 0.1, burst: 1 } },
  });
  collector = await startCollector(addresses(), installation.prefix);
  await collector.ready();
  return async () => {
    await collector.stop();
    await installation.close();
  };
});

async function post(query: string, body: string | Buffer, headers: Record<string, string> = {}) {
  const answer = await fetch(`${collector.url}/v1/bulk?${query}`, {
    method: 'POST',
    headers: { 'x-write-key': 'erp-key', ...headers },
    body: body as BodyInit,
  });
  return { status: answer.status, json: (await answer.json()) as unknown, headers: answer.headers };
}
const collected = async () => (await readAll(installation, topics.eventsCollected)).flatMap(({ value }) => value ?? []);
const rejected = async () => (await readAll(installation, topics.eventsRejected)).flatMap(({ value }) => value ?? []);

describe('a file of history', () => {
  test('of CSV: good rows are stored as events of their own time, bad ones with their reason, and the answer tells of each', async () => {
    const file = Buffer.concat([
      Buffer.from('\ufeffuserId,timestamp,properties.revenue:number,properties.note,context.ip\r\n'),
      Buffer.from('csv-1,1997-01-01,19.90,"says ""hi"",\r\nand goes",203.0.113.9\r\n'),
      Buffer.from('csv-2,1997-01-02,free,,\r\n'),
      Buffer.from('csv-3,1997-01-03\r\n'),
      Buffer.from([0x63, 0xff, 0x2c, 0x2c, 0x2c, 0x2c, 0x0a]),
      Buffer.from('anonymous,1997-01-05,1,,\n'),
      Buffer.from('csv-6,long ago,1,,\n\ncsv-8,1997-01-08,1e2,,'),
    ]);
    const answer = await post('type=track&event=Bought', gzipSync(file), {
      'content-type': 'text/csv; charset=utf-8',
      'content-encoding': 'gzip',
      sentat: new Date(0).toISOString(),
    });
    expect(answer).toMatchObject({
      status: 200,
      json: {
        accepted: 2,
        rejected: 5,
        flags: {},
        rows: [
          { row: 2, code: 'invalid_row', message: '$.properties.revenue: not a number' },
          { row: 3, code: 'invalid_row', message: '$: 2 cells where the header has 5' },
          { row: 4, code: 'invalid_row', message: '$: not UTF-8' },
          { row: 5, code: 'no_identifier' },
          { row: 6, code: 'invalid_event', message: '$.timestamp: not a time' },
        ],
      },
    });
    const events = (await collected()).filter(({ user_id }) => user_id?.startsWith('csv-'));
    expect(events.sort((a, b) => a.timestamp - b.timestamp)).toMatchObject([
      {
        type: 'track',
        event: 'Bought',
        timestamp: Date.UTC(1997, 0, 1),
        sent_at: null,
        flags: [],
        ip: '203.0.113.9',
        payload:
          '{"userId":"csv-1","timestamp":"1997-01-01","properties":{"revenue":19.90,"note":"says \\"hi\\",\\r\\nand goes"},"context":{"ip":"203.0.113.9"},"type":"track","event":"Bought"}',
      },
      { timestamp: Date.UTC(1997, 0, 8), payload: expect.stringContaining('"revenue":1e2') },
    ]);
    const bad = await rejected();
    expect(bad.find(({ message }) => message.endsWith('; row 3'))).toMatchObject({
      source: 'erp',
      stage: 'collector',
      reason: 'invalid_row',
      payload: Buffer.from('csv-3,1997-01-03'),
    });
  });

  test('of lines of JSON: the text of each is kept, and a row that is sent again has the same id', async () => {
    const file = '{"type":"page","userId":"line-1","n":1.0}\nno\n{"type":"page","userId":"line-3","messageId":"m-3"}\n';
    const answers = [await post('format=jsonl', file), await post('format=jsonl', file)];
    for (const answer of answers)
      expect(answer).toMatchObject({
        status: 200,
        json: { accepted: 2, rejected: 1, flags: { no_timestamp: 2 }, rows: [{ row: 2, code: 'invalid_row' }] },
      });
    await post('format=jsonl&firstRow=3', '{"type":"page","userId":"line-3","messageId":"m-3"}');
    const events = (await collected()).filter(({ user_id }) => user_id?.startsWith('line-'));
    expect(events.filter(({ user_id }) => user_id === 'line-1').map(({ payload }) => payload)).toEqual(
      Array(2).fill('{"type":"page","userId":"line-1","n":1.0}'),
    );
    expect(new Set(events.map(({ message_id }) => message_id)).size).toBe(2);
    expect(events.filter(({ message_id }) => message_id === 'm-3')).toHaveLength(3);
  });

  test('can be tried out: nothing is stored', async () => {
    const answer = await post('format=jsonl&dryRun=true', '{"type":"page","userId":"dry-1"}\nno\n');
    expect(answer).toMatchObject({ status: 200, json: { accepted: 1, rejected: 1, dryRun: true } });
    expect((await collected()).filter(({ user_id }) => user_id === 'dry-1')).toEqual([]);
  });

  test('waits for its key’s rate like everything else', async () => {
    const asSlow = { 'x-write-key': 'slow-key' };
    expect(await post('format=jsonl&dryRun=true', '{}\n{}', asSlow)).toMatchObject({ status: 200 });
    const second = await post('format=jsonl&dryRun=true', '{}', asSlow);
    expect(second).toMatchObject({ status: 429, json: { code: 'rate_limited' } });
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test.each([
    ['no key', 'format=csv', 'userId\n', { 'x-write-key': '' }, 401, 'unknown_write_key'],
    ['no format', '', 'userId\n', {}, 400, 'invalid_parameter'],
    ['a column that is no field', 'format=csv', 'userId,price\n', {}, 400, 'invalid_columns'],
    ['too many rows', 'format=jsonl', '{}\n'.repeat(10_001), {}, 413, 'too_many_events'],
    ['too many bytes', 'format=jsonl', 'x'.repeat(5_000_000), {}, 413, 'too_large'],
    ['no gzip', 'format=jsonl', '{}', { 'content-encoding': 'gzip' }, 400, 'invalid_encoding'],
  ])('is refused as a whole: %s', async (_, query, body, headers, status, code) => {
    expect(await post(query, body, headers)).toMatchObject({ status, json: { code } });
  });
});

test('what SDKs send to /v1/import is a batch as before', async () => {
  const body = JSON.stringify({ batch: [{ type: 'page', userId: 'sdk-1' }] });
  const answer = await fetch(`${collector.url}/v1/import`, {
    method: 'POST',
    headers: { 'x-write-key': 'erp-key' },
    body,
  });
  expect(await answer.json()).toEqual({ success: true });
});
