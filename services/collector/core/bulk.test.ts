import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideRows } from './bulk.ts';
import { type BulkRequest, bulkRequestOf } from './bulk-request.ts';
import { envelope } from './envelope.fixture.ts';

const RECEIVED = Date.UTC(2026, 10, 24, 12);
const surrounding = { ...envelope, source: 'shop', receivedAt: RECEIVED, ip: null };

function asking(query: string, contentType?: string): BulkRequest {
  const asked = bulkRequestOf(query, contentType);
  if ('status' in asked) throw new Error(asked.message);
  return asked;
}
const decide = (query: string, file: string | Buffer, changes = {}) =>
  decideRows(Buffer.from(file as string), asking(query), 1_000_000, { ...surrounding, ...changes });

/** Of each row: its number, and its payload or what is wrong with it. */
function rowsOf(query: string, file: string | Buffer) {
  const rows = decide(query, file);
  if (!Array.isArray(rows)) throw new Error(rows.message);
  return rows.map(({ row, decision }) => [
    row,
    decision.outcome === 'accepted'
      ? decision.value.payload
      : decision.outcome === 'rejected'
        ? decision.value.violations.join('; ')
        : decision.reason,
  ]);
}

const CSV = 'format=csv&type=track&event=Bought';

describe('a row of a CSV', () => {
  test('is an event, its columns named for the members', () => {
    const file =
      'userId,type,timestamp,properties.order.id,properties.revenue:number,traits.vip:boolean,context.tags:json\n' +
      'u1,identify,1997-01-01,007,19.90,TRUE,"[1.0, ""a""]"\n';
    expect(rowsOf('format=csv', file)).toEqual([
      [
        1,
        '{"userId":"u1","type":"identify","timestamp":"1997-01-01","properties":{"order":{"id":"007"},"revenue":19.90},"traits":{"vip":true},"context":{"tags":[1.0, "a"]}}',
      ],
    ]);
  });

  test.each([
    ['cells are text', 'userId,properties.zip\nu1,01067\n', '"properties":{"zip":"01067"}'],
    [
      'a large number is not rounded',
      'userId,properties.n:number\nu1,12345678901234567890.10\n',
      '{"n":12345678901234567890.10}',
    ],
    [
      'a comma, a quote and a line break inside quotes',
      'userId,properties.a\nu1,"x, ""y""\nz"\n',
      '"a":"x, \\"y\\"\\nz"',
    ],
    ['a byte order mark and CRLF', '\ufeffuserId,properties.a\r\nu1,x\r\n', '"userId":"u1","properties":{"a":"x"}'],
    ['no line break at the end', 'userId,properties.a\nu1,x', '"a":"x"'],
    ['white space stays', 'userId,properties.a\nu1, x ', '"a":" x "'],
    ['names have white space around them', ' userId , properties.a \nu1,x', '"a":"x"'],
    ['members that would change prototypes are data', 'userId,properties.__proto__.x\nu1,x', '{"__proto__":{"x":"x"}}'],
    ['an empty cell is absent', 'userId,properties.a,properties.b\nu1,,x\n', '"properties":{"b":"x"}'],
    ['and so is an empty object', 'userId,properties.a\nu1,""\n', '{"userId":"u1","type":"track","event":"Bought"}'],
    ['its own type wins', 'userId,type\nu1,page\n', '{"userId":"u1","type":"page"}'],
    ['other scripts', 'userId,properties.a\nu1,Zoë 文\n', '"a":"Zoë 文"'],
  ])('%s', (_, file, expected) => {
    expect(rowsOf(CSV, file)).toEqual([[1, expect.stringContaining(expected)]]);
  });

  test('may be delimited by something else', () => {
    expect(rowsOf(`${CSV}&delimiter=%09`, 'userId\tname\nu1\ta,b\n')[0]?.[1]).toContain('"name":"a,b"');
    expect(rowsOf(`${CSV}&delimiter=;`, 'userId;name\n"u;1";a\n')[0]?.[1]).toContain('"userId":"u;1"');
  });

  test('may have columns of other names', () => {
    const file = 'Customer No,Amount,Note,Sum:number\n7,1.50,hello,5\n';
    const query = `${CSV}&column=Customer+No%3DuserId&column=Amount%3Dproperties.revenue:number&column=Note%3D&column=*%3Dproperties.erp`;
    expect(rowsOf(query, file)).toEqual([
      [1, '{"userId":"7","properties":{"revenue":1.50,"erp":{"Sum":5}},"type":"track","event":"Bought"}'],
    ]);
  });

  test('that is bad is told of by its number, and the others go on', () => {
    const file = Buffer.concat([
      Buffer.from('userId,properties.n:number\nu1,1\nu2,"1\nu3\nu4,1,2\n\nu6,one\n"u"7,1\n'),
      Buffer.from([0x75, 0xff, 0x2c, 0x31, 0x0a]),
      Buffer.from(',5\nu10,10\nu11,5"\nu12,"1\nu13,1'),
    ]);
    const quotes = '$: a quote that is not closed, or not at the beginning or end of its field';
    expect(rowsOf(CSV, file)).toEqual([
      [1, expect.stringContaining('"u1"')],
      [2, quotes],
      [3, '$: 1 cells where the header has 2'],
      [4, '$: 3 cells where the header has 2'],
      [6, '$.properties.n: not a number'],
      [7, quotes],
      [8, '$: not UTF-8'],
      [9, '$: no usable identifier'],
      [10, expect.stringContaining('"u10"')],
      [11, quotes],
      [12, quotes],
      [13, expect.stringContaining('"u13"')],
    ]);
  });
});

describe('columns are refused', () => {
  test.each([
    ['userId,price\n', '', 'column 2, "price", is not a field of an event'],
    ['userId,userId\n', '', 'column 2, "userId", is there twice'],
    ['properties:json,properties.a\n', '', 'column 2, "properties.a", is there twice'],
    ['properties.a,properties.a.b\n', '', 'column 2, "properties.a.b", is there twice'],
    ['properties\n', '', 'column 1, "properties", is not a field'],
    ['userId.x\n', '', 'column 1, "userId.x", is not a field'],
    ['properties..a\n', '', 'is not a field'],
    [`properties${'.a'.repeat(30)}\n`, '', 'is not a field'],
    ['userId;type\n', '', 'is the file delimited by ","?'],
    ['', '', 'column 1, "", is not a field'],
    ['"userId\n', '', 'does not name columns'],
    ['userId\n', '&column=Nr=userId', 'there is no column "Nr"'],
    ['userId\n', '&column=x', '"x" is not NAME=FIELD'],
    ['userId\n', '&column=*=userId', '"userId" holds no other fields'],
    [`${Array(1_000).fill('x').join(',')}\n`, '', 'and 995 more'],
  ])('%j %s', (file, query, message) => {
    expect(decide(CSV + query, file)).toMatchObject({
      status: 400,
      code: 'invalid_columns',
      message: expect.stringContaining(message),
    });
  });
});

describe('a line of JSON', () => {
  test('keeps its own text', () => {
    const file = '{"type":"identify","userId":"u1","n":1.0, "x":12345678901234567890}\n\n{"userId":"u2","type":null}\n';
    expect(rowsOf('format=jsonl&type=page', file)).toEqual([
      [1, '{"type":"identify","userId":"u1","n":1.0, "x":12345678901234567890}'],
      [3, '{"userId":"u2","type":"page"}'],
    ]);
  });

  test('that is bad is told of by its number, and the others go on', () => {
    const file = `{"userId":"u1"}\n{"userId":\n[1]\n{"x":"${'x'.repeat(500_000)}"}\n{"userId":"u5","timestamp":"yesterday"}\n{"userId":"u6","type":"x"}\n{"userId":"u7"}`;
    expect(rowsOf('format=jsonl&type=page', file)).toEqual([
      [1, '{"userId":"u1","type":"page"}'],
      [2, '$: not JSON'],
      [3, '$: not an object'],
      [4, '$: too large'],
      [5, '$.timestamp: not a time'],
      [6, '$.type: not one of identify, track, page, screen, group, alias'],
      [7, '{"userId":"u7","type":"page"}'],
    ]);
  });
});

test('a robot’s row is dropped where the source wants that', () => {
  const line = JSON.stringify({ type: 'page', userId: 'u1', context: { userAgent: 'Googlebot/2.1' } });
  const settings = { ...envelope.settings, enrich: { ...envelope.settings.enrich, bots: 'drop' } };
  expect(decide('format=jsonl', line, { settings })).toMatchObject([{ row: 1, decision: { outcome: 'dropped' } }]);
});

describe('times', () => {
  const eventOf = (line: object) => {
    const rows = decide('format=jsonl&type=page', JSON.stringify({ userId: 'u1', ...line }));
    const decision = Array.isArray(rows) ? rows[0]?.decision : undefined;
    return decision?.outcome === 'accepted' ? decision.value : undefined;
  };

  test.each([
    ['its own', { timestamp: '1997-01-01' }],
    ['when it was sent says nothing', { timestamp: '1997-01-01', sentAt: '1997-01-02T00:00:00Z' }],
    [
      'the corrected one of an archive',
      { timestamp: '1997-01-01', originalTimestamp: '1996-01-01', sentAt: '1996-01-01' },
    ],
    ['the original where it is the only one', { originalTimestamp: '1997-01-01', sentAt: '1996-01-01' }],
    ['milliseconds', { timestamp: Date.UTC(1997, 0) }],
  ])('%s', (_, line) => {
    expect(eventOf(line)).toMatchObject({
      timestamp: Date.UTC(1997, 0),
      sent_at: null,
      flags: [],
    });
  });

  test.each([
    ['timestamp', { timestamp: 'yesterday', originalTimestamp: '1997-01-01' }],
    ['originalTimestamp', { timestamp: '1997-01-01', originalTimestamp: 5e20 }],
  ])('that cannot be read makes it a bad row: %s', (field, line) => {
    expect(rowsOf('format=jsonl&type=page', JSON.stringify({ userId: 'u1', ...line }))).toEqual([
      [1, `$.${field}: not a time`],
    ]);
  });

  test('none is the time of its arrival, and flagged', () => {
    expect(eventOf({})).toMatchObject({ timestamp: RECEIVED, flags: ['no_timestamp'] });
  });
});

describe('the id of a row that has none', () => {
  const idsOf = (query: string, file: string, changes = {}) => {
    const rows = decide(query, file, changes);
    return Array.isArray(rows)
      ? rows.map(({ decision }) => (decision.outcome === 'dropped' ? undefined : decision.value.message_id))
      : [];
  };
  const file = 'userId,name\nu1,a\nu1,a\n"u2",b\n';

  test('is the same each time, and its own', () => {
    const ids = idsOf(CSV, file);
    expect(idsOf(CSV, file)).toEqual(ids);
    expect(new Set(ids).size).toBe(3);
    expect(idsOf(`${CSV}&firstRow=3`, 'userId,name\nu2,b\n')).toEqual(ids.slice(2));
    expect(idsOf(CSV, file, { source: 'other' })).not.toEqual(ids);
  });

  test('is not made where it has one', () => {
    expect(idsOf('format=jsonl&type=page', '{"userId":"u1","messageId":"m1"}')).toEqual(['m1']);
  });
});

describe('what is kept of a row that cannot be read', () => {
  const rejected = (keepIp: boolean) => {
    const rows = decide('format=jsonl', '{"context":{"ip":"203.0.113.9"}', {
      settings: { ...surrounding.settings, keepIp },
    });
    return Array.isArray(rows) ? rows[0]?.decision : undefined;
  };
  test('is all of it', () => {
    expect(rejected(true)).toMatchObject({
      outcome: 'rejected',
      reason: 'invalid_row',
      value: { payload: Buffer.from('{"context":{"ip":"203.0.113.9"}'), message: 'The row cannot be read; row 1' },
    });
  });
  test('is nothing where it may hold an address that is not kept', () => {
    expect(rejected(false)).toMatchObject({ value: { payload: Buffer.alloc(0) } });
  });
});

test('a body is refused before it becomes so much that nobody can hold it', () => {
  const faulty = `properties.${'a'.repeat(10_000)}:number\n${'x\n'.repeat(1_000)}`;
  expect(decide('format=csv&type=track', faulty)).toMatchObject({ status: 413, code: 'too_large' });
  const name = `properties.${'x'.repeat(10_000)}`;
  const of = (rows: number) => decide(CSV, `userId,${name}\n${'u1,1\n'.repeat(rows)}`);
  expect(of(50)).toHaveLength(50);
  expect(of(200)).toMatchObject({ status: 413, code: 'too_large' });
  for (const line of ['{}\n', '\n'])
    expect(decide('format=jsonl', line.repeat(10_001))).toMatchObject({ status: 413, code: 'too_many_events' });
  expect(decide('format=jsonl', '')).toEqual([]);
});

test('whatever is in its cells, a CSV is read as it was written', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é', '\\', '{') });
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (rows) => {
      const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
      const file = rows.map(([a, b], i) => `u${i + 100},${quoted(a)},${quoted(b)}\n`).join('');
      const read = rowsOf(CSV, `userId,properties.a,properties.b\n${file}`).map(
        ([, payload]) => (JSON.parse(String(payload)) as { properties?: object }).properties ?? {},
      );
      expect(read).toEqual(rows.map(([a, b]) => ({ ...(a && { a }), ...(b && { b }) })));
    }),
  );
});

describe('what is asked for', () => {
  test.each([
    ['', 'text/csv; charset=utf-8', { format: 'csv', delimiter: ',', firstRow: 1, dryRun: false }],
    ['format=jsonl&writeKey=k', 'text/csv', { format: 'jsonl' }],
    ['firstRow=7&dryRun=true', 'application/x-ndjson', { firstRow: 7, dryRun: true }],
  ])('%s %s', (query, type, expected) => {
    expect(bulkRequestOf(query, type)).toMatchObject(expected);
  });

  test.each([
    '',
    'format=xml',
    'format=constructor',
    'format=csv&delimiter=;;',
    'format=csv&delimiter="',
    'format=csv&type=x',
    'format=csv&firstRow=0',
  ])('is refused: %s', (query) => {
    expect(bulkRequestOf(query, undefined)).toMatchObject({ status: 400, code: 'invalid_parameter' });
  });
});
