import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { booksTable, connectTo, runBooks } from '../support/books-run.ts';
import { type RunningPlatform, startPlatform } from '../support/platform.ts';
import { River } from '../support/river.ts';
import { expectAsWithoutTrouble } from '../support/river-checks.ts';
import { until } from '../support/until.ts';
import { waveOf } from '../support/wave.ts';

let platform: RunningPlatform;
let river: River;
let restartsBefore: Map<string, number>;

const restarts = () => new Map(platform.platform.units().map((unit) => [unit.name, unit.restarts]));

beforeAll(async () => {
  const services = ['provision', 'collector', 'identity-stitcher', 'profile-projector', 'activation', 'console'];
  platform = await startPlatform({ services });
  river = await River.open(platform.platform);
  restartsBefore = restarts();
});
afterAll(async () => {
  await river?.close();
  await platform?.stop();
});

const basic = (key: string): Record<string, string> => ({ authorization: `Basic ${btoa(`${key}:`)}` });
const server = basic('local-server');
const gzipped = { ...server, 'content-encoding': 'gzip' };

async function post(path: string, body: string | Uint8Array, headers = server) {
  const url = `http://127.0.0.1:${platform.platform.settings.collectorPort}/v1/${path}`;
  const response = await fetch(url, { method: 'POST', headers, body: body as BodyInit });
  return { status: response.status, answer: (await response.json()) as { code?: string; message?: string } };
}
/** Members as text, since what is sent here cannot be said otherwise. */
const track = (messageId: string, members: string): string =>
  `{"type":"track","event":"Odd","messageId":"${messageId}",${members}}`;
const odd = (messageId: string, properties: string): string =>
  track(messageId, `"userId":"odd-${messageId}","properties":${properties}`);

async function rows<T>(query: string): Promise<T[]> {
  return (await river.clickhouse.query({ query, format: 'JSONEachRow' })).json<T>();
}

describe('bad input', () => {
  test.each<[string, string, string | Uint8Array, Record<string, string>, number, string]>([
    ['not JSON', 'track', '{"event":', server, 400, 'invalid_json'],
    ['nested without end', 'track', '['.repeat(1_000_000), server, 400, 'invalid_json'],
    ['invalid UTF-8', 'track', Buffer.from(odd('refused-1', '"\xff"'), 'latin1'), server, 400, 'invalid_utf8'],
    ['too large', 'track', odd('refused-2', `"${'x'.repeat(600_000)}"`), server, 413, 'too_large'],
    ['a gzip bomb', 'batch', gzipSync(Buffer.alloc(200_000_000, 0x20)), gzipped, 413, 'too_large'],
    ['half a gzip', 'track', gzipSync(odd('refused-3', '{}')).subarray(0, 40), gzipped, 400, 'invalid_encoding'],
    ['a wrong key', 'track', odd('refused-4', '{}'), basic('wrong'), 401, 'unknown_write_key'],
    ['no key', 'track', odd('refused-5', '{}'), {}, 401, 'unknown_write_key'],
  ])('refused with the reason: %s', async (_, path, body, headers, status, code) => {
    const refused = await post(path, body, headers);
    expect(refused).toMatchObject({ status, answer: { code, message: expect.stringMatching(/\w/) } });
  });

  const levels = 10_000;
  const rejected: [reason: string, body: string][] = [
    ['no_identifier', track('rejected-1', '"properties":{}')],
    ['too_deep', odd('rejected-2', `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`)],
    ['invalid_event', '{"type":"track","userId":"odd","messageId":"rejected-3"}'],
    ['invalid_event', odd('rejected-4', '[[[]]]')],
  ];
  const stored = new Map(
    Object.entries({
      'two paths that are one': '{"c.d":1,"c":{"d":5}}',
      'the same key twice': '{"a":1,"a":{"b":2}}',
      'no double': '{"n":1e400}',
      'more than 64 bits': '{"n":123456789012345678901234567890}',
      'half a character': '{"s":"\\ud800"}',
      'keys of prototypes': '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
      'another shape than before': '{"a":[1,"two",{"three":null}],"c":"d"}',
    }).map(([messageId, properties]) => [messageId, odd(messageId, properties)]),
  );
  for (const [messageId, timestamp] of Object.entries({
    'before all time': '-271821-04-20T00:00:00.000Z',
    'after all time': '+275760-09-13T00:00:00.000Z',
    'no time at all': 'soon',
    'three centuries ahead': '2290-01-01T00:00:00.000Z',
  }))
    stored.set(messageId, track(messageId, `"userId":"odd-${messageId}","timestamp":"${timestamp}"`));

  test('acknowledged, and kept with the reason or stored as it was written; the river goes on', async () => {
    for (const body of [...rejected.map(([, text]) => text), ...stored.values()])
      expect(await post('batch', `{"batch":[${body}]}`)).toMatchObject({ status: 200, answer: { success: true } });

    await river.send(waveOf(0));
    await river.quiet();
    const kept = (await river.records(topics.eventsRejected)).map(({ value }) => value);
    for (const [reason, body] of rejected) {
      const record = kept.find((one) => String(one?.payload) === body);
      expect(record).toMatchObject({ stage: 'collector', reason, message: expect.stringMatching(/\w/) });
    }
    const ids = [...river.collected.values()].map(({ value }) => value?.message_id ?? '');
    expect(ids.filter((id) => id.startsWith('refused'))).toEqual([]);
    for (const id of stored.keys()) expect(ids).toContain(id);

    const payloads = `SELECT message_id, payload FROM events WHERE source = 'local-server' AND NOT startsWith(message_id, 'wave')`;
    let found: { message_id: string; payload: string }[] = [];
    await until('ClickHouse has them all', async () => {
      found = await rows(payloads);
      return found.length === stored.size;
    });
    const texts = new Map(found.map(({ message_id, payload }) => [message_id, payload]));
    for (const [id, body] of stored) expect(texts.get(id)).toBe(body);
    await expectAsWithoutTrouble(river);
  }, 400_000);

  test('traits that no JSON column can hold: the profile is there, and the read API tells them exactly', async () => {
    const traits = '{"c.d":1,"c":{"d":5},"big":12345678901234567890123,"__proto__":{"polluted":true}}';
    const body = `{"type":"identify","messageId":"poison traits","userId":"poisoned","traits":${traits}}`;
    expect(await post('identify', body)).toMatchObject({ status: 200 });
    const { apiPort } = platform.platform.settings;
    const headers = { authorization: `Bearer ${platform.platform.apiToken}` };
    let answer = '';
    await until('the read API has it', async () => {
      const response = await fetch(`http://127.0.0.1:${apiPort}/v1/profiles/user_id:poisoned`, { headers });
      answer = await response.text();
      return response.status === 200;
    });
    for (const member of traits.slice(1, -1).split(/,(?=")/)) expect(answer).toContain(member);
    await until('ClickHouse has it', async () => {
      const found = await rows(`SELECT traits FROM profiles WHERE has(identifiers, 'user_id:poisoned')`);
      return found.length === 1;
    });
  });

  test('of a mixed run everybody counts the same, reason by reason, and all that was sent is somewhere', async () => {
    const connections = connectTo(platform.platform);
    onTestFinished(() => connections.close());
    const report = await runBooks(connections, { count: 4_000, run: 'books' });
    expect(report.problems, booksTable(report)).toEqual([]);
    expect(report.lines.get('accepted')?.Kafka).toBeGreaterThan(3_800);
  }, 400_000);

  test('nothing has crashed', async () => {
    expect(restarts()).toEqual(restartsBefore);
  });
});
