import { describe, expect, test } from 'vitest';
import { envelope as usual } from './envelope.fixture.ts';
import { decideAll, parseBody } from './request.ts';

const envelope = {
  ...usual,
  hashing: { hash: (type: string, value: string) => `${type} ${value}` },
};
const MOST_BYTES = 1_000_000;
const bodyOf = (text: string) => {
  const body = parseBody(Buffer.from(text));
  if ('status' in body) throw new Error(body.message);
  return body;
};
const batch = (text: string) => decideAll({ to: 'batch' }, bodyOf(text), MOST_BYTES, envelope);

describe('a body', () => {
  test.each([
    [Buffer.from('{"a":'), 'invalid_json'],
    [Buffer.from(''), 'invalid_json'],
    [Buffer.from('[1]'), 'invalid_json'],
    [Buffer.from('null'), 'invalid_json'],
    [Buffer.from('['.repeat(200_000) + ']'.repeat(200_000)), 'invalid_json'],
    [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'invalid_utf8'],
    [Buffer.from([0xed, 0xa0, 0x80]), 'invalid_utf8'],
  ])('that is none: %#', (bytes, code) => {
    expect(parseBody(bytes)).toMatchObject({ status: 400, code });
  });

  test('may begin with a byte order mark', () => {
    expect(bodyOf('\ufeff{"a":1}').json).toEqual({ a: 1 });
  });
});

test('an event’s write key is not stored with it, whether it is accepted or rejected', () => {
  const one = (text: string) => decideAll({ to: 'event', type: 'track' }, bodyOf(text), MOST_BYTES, envelope);
  const kept = (text: string): string[] =>
    (one(text) as { value: { payload: unknown } }[]).map(({ value }) => String(value.payload));
  expect(kept(' {"writeKey":"k", "event":"E","userId":"u1","n":1.0} ')).toEqual([
    '{"event":"E","userId":"u1","n":1.0}',
  ]);
  expect(kept('{"userId":"u1","write\\u004bey":"k"}')).toEqual(['{"userId":"u1"}']);
});

describe('a batch', () => {
  test('is its events, each decided on by itself, in their order and with their own text', () => {
    const text =
      '{ "batch" : [ {"type":"identify","userId":"u1","n":1.0} , 7, {"type":"track"},\n{"type":"page","userId":"u2"}] }';
    const decisions = batch(text);
    expect(decisions).toMatchObject([
      { outcome: 'accepted', key: 'user_id u1', value: { payload: '{"type":"identify","userId":"u1","n":1.0}' } },
      { outcome: 'rejected', value: { payload: Buffer.from('7') } },
      { outcome: 'rejected', reason: 'invalid_event' },
      { outcome: 'accepted', key: 'user_id u2' },
    ]);
  });

  test('puts its context and integrations under those of its events', () => {
    const text =
      '{"context":{"a":1},"integrations":{"All":true},"batch":[{"type":"page","userId":"u1","context":{"a":2}}]}';
    expect(batch(text)).toMatchObject([
      { value: { payload: '{"type":"page","userId":"u1","context":{"a":2},"integrations":{"All":true}}' } },
    ]);
  });

  test('of a source that keeps no addresses has none in its context', () => {
    const body = bodyOf('{"context":{"ip":"203.0.113.9","a":1},"batch":[{"type":"page","userId":"u1"}]}');
    const settings = { ...envelope.settings, keepIp: false };
    expect(decideAll({ to: 'batch' }, body, MOST_BYTES, { ...envelope, settings })).toMatchObject([
      { value: { ip: null, payload: '{"type":"page","userId":"u1","context":{"a":1}}' } },
    ]);
  });

  test('of a source that keeps addresses cut has them so, the batch’s too', () => {
    const body = bodyOf('{"context":{"ip":"203.0.113.9","a":1},"batch":[{"type":"page","userId":"u1"}]}');
    const settings = { ...envelope.settings, keepIp: 'truncated' } as const;
    expect(decideAll({ to: 'batch' }, body, MOST_BYTES, { ...envelope, settings })).toMatchObject([
      {
        value: {
          ip: '203.0.113.0',
          payload: '{"type":"page","userId":"u1","context":{"a":1,"ip":"203.0.113.0"}}',
        },
      },
    ]);
  });

  test('is refused before its context has been put into so many events that nobody can hold them', () => {
    const context = JSON.stringify({ a: 'é'.repeat(50_000) });
    const of = (events: number) =>
      `{"context":${context},"batch":[${Array(events).fill('{"userId":"u1"}').join(',')}]}`;
    expect(batch(of(5))).toHaveLength(5);
    expect(batch(of(10))).toMatchObject({ status: 413, code: 'too_large' });
  });

  test('may be empty', () => {
    expect(batch('{"batch":[]}')).toEqual([]);
  });

  test.each([
    ['{}', 400, 'invalid_batch'],
    ['{"batch":{"0":1}}', 400, 'invalid_batch'],
    [`{"batch":[${'0,'.repeat(10_000)}0]}`, 413, 'too_many_events'],
  ])('that is none: %#', (text, status, code) => {
    expect(batch(text)).toMatchObject({ status, code });
  });
});

test('a single event that is too large is refused as a whole', () => {
  const body = bodyOf(`{"userId":"u1","event":"E","x":"${'x'.repeat(500_000)}"}`);
  expect(decideAll({ to: 'event', type: 'track' }, body, MOST_BYTES, envelope)).toMatchObject({
    status: 413,
    code: 'too_large',
  });
});

test('a single event may have white space around it', () => {
  expect(decideAll({ to: 'event', type: 'page' }, bodyOf('\n {"userId":"u1"}\n'), MOST_BYTES, envelope)).toMatchObject([
    { value: { payload: '{"userId":"u1"}' } },
  ]);
});
