import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addresses } from '../support/addresses.ts';

/** What Tributary, its users and their SQL tools expect of ClickHouse's HTTP interface. */
describe('ClickHouse’s HTTP interface', () => {
  const address = () => {
    const { clickhouseUrl: url, clickhousePassword: password } = addresses();
    return { url, username: 'default', password };
  };
  const database = `contract_${randomUUID().replaceAll('-', '')}`;
  // The errors are the tests' own.
  const log = { level: ClickHouseLogLevel.OFF };
  let client: ClickHouseClient;

  const ask = (
    query: string,
    {
      method = 'POST',
      body = '',
      headers = {},
    }: { method?: string; body?: string | Uint8Array<ArrayBuffer>; headers?: Record<string, string> } = {},
  ) => {
    const { url, username, password } = address();
    return fetch(`${url}/?${query}`, {
      method,
      headers: { 'X-ClickHouse-User': username, 'X-ClickHouse-Key': password, ...headers },
      ...(method === 'POST' ? { body } : {}),
    });
  };
  const rows = async (sql: string) => (await client.query({ query: sql, format: 'JSONEachRow' })).json();

  beforeAll(async () => {
    const { url, username, password } = address();
    const admin = createClient({ log, url, username, password });
    await admin.command({ query: `CREATE DATABASE ${database} ENGINE = Atomic` });
    await admin.close();
    client = createClient({ log, url, username, password, database });
    await client.command({
      query:
        'CREATE TABLE fruit (id UInt64, name String, price Nullable(Decimal(9, 2)), tags Array(String)) ENGINE = MergeTree ORDER BY id',
    });
  });
  afterAll(async () => {
    await client?.command({ query: `DROP DATABASE IF EXISTS ${database}` });
    await client?.close();
  });

  describe('through @clickhouse/client', () => {
    it('answers a ping', async () => {
      expect(await client.ping()).toEqual({ success: true });
      expect(await client.ping({ select: true })).toMatchObject({ success: true });
    });

    it('binds parameters of every kind, without room for injection', async () => {
      const query_params = {
        text: "it's \\ a\ttab\nline '; DROP TABLE fruit --",
        number: 42,
        big: '18446744073709551615',
        decimal: '12.34',
        yes: true,
        date: new Date('2026-11-24T01:02:03Z'),
        list: ["a'b", 'c\\d', 'e\nf'],
        map: { k: "v'" },
        nothing: null,
        column: 'name',
      };
      const result = await client.query({
        query: `SELECT {text:String} AS text, {number:UInt8} AS number, {big:UInt64} AS big, {decimal:Decimal(9, 2)} AS decimal,
            {yes:Bool} AS yes, toUnixTimestamp({date:DateTime('UTC')}) AS date, {list:Array(String)} AS list,
            {map:Map(String, String)} AS map, {nothing:Nullable(String)} AS nothing, count({column:Identifier}) AS columns FROM fruit`,
        query_params,
        format: 'JSONEachRow',
        clickhouse_settings: { output_format_json_quote_64bit_integers: 1, output_format_json_quote_decimals: 1 },
      });
      expect(await result.json()).toEqual([
        {
          text: query_params.text,
          number: 42,
          big: '18446744073709551615',
          decimal: '12.34',
          yes: true,
          date: Date.UTC(2026, 10, 24, 1, 2, 3) / 1_000,
          list: query_params.list,
          map: query_params.map,
          nothing: null,
          columns: '0',
        },
      ]);
    });

    it('inserts rows, from an array and from a stream, and says how many', async () => {
      const one = await client.insert({
        table: 'fruit',
        values: [{ id: 1, name: 'äpfel "; --', price: '1.10', tags: ['a', "b'"] }],
        format: 'JSONEachRow',
      });
      expect(one.executed).toBe(true);
      expect(one.summary?.written_rows).toBe('1');
      await client.insert({
        table: 'fruit',
        columns: ['id', 'name'],
        values: Readable.from(
          (function* () {
            for (let id = 10_000; id < 15_000; id++) yield { id, name: `n${id}` };
          })(),
        ),
        format: 'JSONEachRow',
      });
      expect(await rows('SELECT name, tags, count() OVER () AS n FROM fruit WHERE id < 10000')).toEqual([
        { name: 'äpfel "; --', tags: ['a', "b'"], n: 1 },
      ]);
      expect(
        await rows('SELECT toUInt32(count()) AS n, toUInt32(sum(id)) AS ids FROM fruit WHERE id >= 10000'),
      ).toEqual([{ n: 5_000, ids: ((10_000 + 14_999) * 5_000) / 2 }]);
    });

    it('throws errors with ClickHouse’s codes', async () => {
      await expect(client.query({ query: 'SELECT * FROM nowhere' })).rejects.toMatchObject({
        code: '60',
        type: 'UNKNOWN_TABLE',
      });
      await expect(client.command({ query: 'CREATE TABLE (' })).rejects.toMatchObject({
        code: '62',
        type: 'SYNTAX_ERROR',
      });
      await expect(client.query({ query: 'SELECT {a:String}' })).rejects.toMatchObject({ code: '456' });
      const bad = { table: 'fruit', values: [{ id: 'x' }], format: 'JSONEachRow' as const };
      await expect(client.insert(bad)).rejects.toMatchObject({ code: expect.stringMatching(/^(27|72|6|117)$/) });
    });

    it('takes settings, for one query only', async () => {
      const query = "SELECT toString(getSetting('max_block_size')) AS size";
      const set = await client.query({ query, format: 'JSONEachRow', clickhouse_settings: { max_block_size: '77' } });
      expect(await set.json()).toEqual([{ size: '77' }]);
      expect(await rows(query)).not.toEqual([{ size: '77' }]);
      const wrong = { query, clickhouse_settings: { no_such_setting: 1 } as Record<string, number> };
      await expect(client.query(wrong)).rejects.toMatchObject({ code: '115' });
    });

    it('speaks gzip in both directions', async () => {
      const { url, username, password } = address();
      const zipped = createClient({
        log,
        url,
        username,
        password,
        database,
        compression: { request: true, response: true },
      });
      try {
        await zipped.insert({ table: 'fruit', values: [{ id: 50, name: 'zip' }], format: 'JSONEachRow' });
        const result = await zipped.query({ query: 'SELECT name FROM fruit WHERE id = 50', format: 'JSONEachRow' });
        expect(await result.json()).toEqual([{ name: 'zip' }]);
      } finally {
        await zipped.close();
      }
    });

    it('streams a long result', async () => {
      const result = await client.query({
        query: 'SELECT number AS n FROM numbers(500000)',
        format: 'JSONCompactEachRow',
      });
      let count = 0;
      let sum = 0;
      for await (const batch of result.stream<[number | string]>()) {
        for (const row of batch) {
          count++;
          sum += Number(row.json()[0]);
        }
      }
      expect({ count, sum }).toEqual({ count: 500_000, sum: (499_999 * 500_000) / 2 });
    });

    it('keeps the query id that was given', async () => {
      const query_id = randomUUID();
      const result = await client.query({ query: 'SELECT 1', query_id });
      expect(result.query_id).toBe(query_id);
      expect(result.response_headers['x-clickhouse-query-id']).toBe(query_id);
      await result.text();
    });

    it('keeps a session’s temporary tables for the session', async () => {
      const { url, username, password } = address();
      const session = createClient({ log, url, username, password, database, session_id: randomUUID() });
      try {
        await session.command({ query: 'CREATE TEMPORARY TABLE aside (a UInt8)' });
        await session.command({ query: 'INSERT INTO aside VALUES (5)' });
        const result = await session.query({ query: 'SELECT a FROM aside', format: 'JSONEachRow' });
        expect(await result.json()).toEqual([{ a: 5 }]);
        await expect(client.query({ query: 'SELECT a FROM aside' })).rejects.toMatchObject({ code: '60' });
      } finally {
        await session.close();
      }
    });

    it('sets for one query only, also in a session, what the session has not set itself', async () => {
      const session = `session_id=${randomUUID()}`;
      const answer = async (query: string, body: string) => {
        const response = await ask(`${session}&${query}`, { body });
        return response.headers.get('x-clickhouse-exception-code') ?? (await response.text());
      };
      const block = "SELECT getSetting('max_block_size')";
      const itsOwn = await answer('', block);
      expect(await answer('max_block_size=77', block)).toBe('77\n');
      expect(await answer('', block)).toBe(itsOwn);
      await answer('', 'SET max_block_size = 55');
      expect(await answer('max_block_size=77', block)).toBe('77\n');
      expect(await answer('', block)).toBe('55\n');

      expect(await answer('param_x=5', 'SELECT {x:UInt8}')).toBe('5\n');
      expect(await answer('', 'SELECT {x:UInt8}')).toBe('456');
      expect(await answer('param_x=6', 'SELECT {x:UInt8}')).toBe('6\n');

      const database_ = 'SELECT currentDatabase()';
      const before = await answer('', database_);
      expect(await answer(`database=${database}`, database_)).toBe(`${database}\n`);
      expect(await answer('', database_)).toBe(before);
      await answer('', `USE ${database}`);
      expect(await answer('', database_)).toBe(`${database}\n`);
    });

    it('lets a session change things after a GET in it', async () => {
      const session = `session_id=${randomUUID()}`;
      await ask(session, { body: 'CREATE TEMPORARY TABLE aside (a UInt8)' });
      for (const query of [`${session}&query=SELECT%201%20FORMAT%20JSON`, `${session}&readonly=1&query=SELECT%201`]) {
        expect((await ask(query, { method: 'GET' })).status).toBe(200);
        const inserted = await ask(session, { body: 'INSERT INTO aside VALUES (5)' });
        expect([inserted.status, await inserted.text()]).toEqual([200, '']);
      }
      const refused = await ask(`${session}&database=${database}&query=DROP%20TABLE%20fruit`, { method: 'GET' });
      expect(refused.headers.get('x-clickhouse-exception-code')).toBe('164');
      expect(await (await ask(session, { body: 'SELECT count() FROM aside' })).text()).toBe('2\n');
    });

    it('does many things at once', async () => {
      const asked = Array.from({ length: 40 }, (_, n) =>
        client
          .query({ query: 'SELECT {n:UInt32} AS n', query_params: { n }, format: 'JSONEachRow' })
          .then((result) => result.json<{ n: number }>()),
      );
      const answers = await Promise.all(asked);
      expect(answers.map(([row]) => row?.n)).toEqual(asked.map((_, n) => n));
    });
  });

  describe('with curl and SQL tools', () => {
    it('answers /ping and / without a password', async () => {
      for (const path of ['/ping', '/']) expect(await (await fetch(address().url + path)).text()).toBe('Ok.\n');
      expect((await fetch(`${address().url}/nothing`)).status).toBe(404);
    });

    it('refuses a wrong password, wherever it is written', async () => {
      const { url, username } = address();
      const basic = `Basic ${Buffer.from(`${username}:wrong`).toString('base64')}`;
      for (const [query, headers] of [
        ['', { 'X-ClickHouse-User': username, 'X-ClickHouse-Key': 'wrong' }],
        ['', { Authorization: basic }],
        [`user=${username}&password=wrong&`, {}],
      ] as const) {
        const response = await fetch(`${url}/?${query}query=SELECT%201`, { headers });
        expect([401, 403]).toContain(response.status);
        expect(response.headers.get('x-clickhouse-exception-code')).toBe('516');
        expect(await response.text()).toMatch(/^Code: 516\. DB::Exception: .*Authentication failed/);
      }
    });

    it('accepts basic authorization and credentials in the URL', async () => {
      const { url, username, password } = address();
      const Authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
      expect(await (await fetch(`${url}/?query=SELECT%201`, { headers: { Authorization } })).text()).toBe('1\n');
      const query = new URLSearchParams({ user: username, password, query: 'SELECT 2' });
      expect(await (await fetch(`${url}/?${query}`)).text()).toBe('2\n');
    });

    it('takes the query from the URL, from the body, or from both', async () => {
      expect(await (await ask('query=SELECT%201', { method: 'GET' })).text()).toBe('1\n');
      expect(await (await ask('', { body: 'SELECT 2' })).text()).toBe('2\n');
      expect(await (await ask('query=SELECT', { body: '3 FORMAT CSV' })).text()).toBe('3\n');
    });

    it.each([
      ['SHOW TABLES', /^fruit$/m],
      ['DESCRIBE TABLE fruit', /^name\tString/m],
      ['EXISTS TABLE fruit', /^1$/m],
      ['EXPLAIN SELECT 1', /./],
      ['SHOW CREATE TABLE fruit FORMAT TSVRaw', /MergeTree/],
    ])('tells a tool what there is: %s', async (body, expected) => {
      const response = await ask(`database=${database}`, { body });
      expect(await response.text()).toMatch(expected);
      expect(response.status).toBe(200);
    });

    it('lets a GET change nothing', async () => {
      const response = await ask(`database=${database}&query=DROP%20TABLE%20fruit`, { method: 'GET' });
      expect(response.headers.get('x-clickhouse-exception-code')).toBe('164');
    });

    it('lets readonly=1 change nothing', async () => {
      const response = await ask(`readonly=1&database=${database}`, { body: 'INSERT INTO fruit (id) VALUES (900)' });
      expect(response.headers.get('x-clickhouse-exception-code')).toBe('164');
      expect(await rows('SELECT id FROM fruit WHERE id = 900')).toEqual([]);
    });

    it.each([
      ['', 'TabSeparated', 'text/tab-separated-values', '1\tx\n'],
      ['default_format=CSVWithNames', 'CSVWithNames', 'text/csv', '"a","b"\n1,"x"\n'],
      ['default_format=JSONEachRow', 'JSONEachRow', 'application/', '{"a":1,"b":"x"}\n'],
    ])('names the format that it answers in: %s', async (query, format, type, text) => {
      const response = await ask(query, { body: "SELECT 1 AS a, 'x' AS b" });
      expect(response.headers.get('x-clickhouse-format')).toBe(format);
      expect(response.headers.get('content-type')).toContain(type);
      expect(await response.text()).toBe(text);
    });

    it('prefers the format in the query, then the one in the URL, then the one in the header', async () => {
      const headers = { 'X-ClickHouse-Format': 'CSV' };
      const formatOf = async (query: string, body: string) =>
        (await ask(query, { body, headers })).headers.get('x-clickhouse-format');
      expect(await formatOf('', 'SELECT 1')).toBe('CSV');
      expect(await formatOf('default_format=JSON', 'SELECT 1')).toBe('JSON');
      expect(await formatOf('default_format=JSON', 'SELECT 1 FORMAT XML')).toBe('XML');
    });

    it('takes data of any format and any bytes behind an INSERT', async () => {
      const insert = (format: string, body: string | Uint8Array<ArrayBuffer>, extra = '') =>
        ask(
          `database=${database}${extra}&query=${encodeURIComponent(`INSERT INTO fruit (id, name) FORMAT ${format}`)}`,
          { body },
        );
      const binary = Buffer.from([200, 0, 0, 0, 0, 0, 0, 0, 3, 0xff, 0, 0x0a]);
      for (const response of [
        await insert('CSV', '201,"semi;colon"\n202,"new\nline"\n'),
        await insert('TSV', '203\ttab\\tbed\n'),
        await insert('RowBinary', binary),
        await insert('Values', "(204, 'it''s')"),
        await insert('JSONEachRow', '{"id":205,"name":"x","unknown":1}', '&input_format_skip_unknown_fields=1'),
        await ask(`database=${database}`, {
          body: 'INSERT INTO fruit (id, name) FORMAT CSV\n206,both in the body\n',
        }),
      ])
        expect([response.status, await response.text()]).toEqual([200, '']);
      expect(
        await rows("SELECT toUInt32(id) AS id, name FROM fruit WHERE id > 200 AND id < 300 AND name != '' ORDER BY id"),
      ).toEqual([
        { id: 201, name: 'semi;colon' },
        { id: 202, name: 'new\nline' },
        { id: 203, name: 'tab\tbed' },
        { id: 204, name: "it's" },
        { id: 205, name: 'x' },
        { id: 206, name: 'both in the body' },
      ]);
      expect(await rows('SELECT hex(name) AS name FROM fruit WHERE id = 200')).toEqual([{ name: 'FF000A' }]);
    });

    it('unescapes parameters in the URL as ClickHouse does', async () => {
      const query = new URLSearchParams({ param_a: 'x\\ty', param_b: "['p','q\\'r']", param_c: '\\N' });
      const response = await ask(String(query), {
        body: 'SELECT {a:String} AS a, {b:Array(String)} AS b, {c:Nullable(UInt8)} AS c FORMAT JSONEachRow',
      });
      expect(await response.json()).toEqual({ a: 'x\ty', b: ['p', "q'r"], c: null });
    });

    it('understands and sends gzip', async () => {
      const response = await ask('enable_http_compression=1', {
        body: gzipSync('SELECT number FROM numbers(100000) FORMAT TSV'),
        headers: { 'Content-Encoding': 'gzip', 'Accept-Encoding': 'gzip' },
      });
      expect(response.headers.get('content-encoding')).toBe('gzip');
      const lines = (await response.text()).trimEnd().split('\n');
      expect([lines.length, lines.at(-1)]).toEqual([100_000, '99999']);
    });

    it.each([
      ['SELECT * FROM nowhere', 404, '60'],
      ['SELECT nothing', 404, '47'],
      ['SELECT no_such_function(1)', 404, '46'],
      ['SELECT FROM WHERE', 400, '62'],
      ['SELECT throwIf(1)', 500, '395'],
      ['SELECT 1; SELECT 2', 400, '62'],
    ])('answers %s with status %d and code %s', async (body, status, code) => {
      const response = await ask('', { body });
      expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([status, code]);
      expect(await response.text()).toMatch(new RegExp(`^Code: ${code}\\. DB::Exception: .+\\([A-Z_]+\\)`));
    });

    it('fails as a whole when it is to wait for the end', async () => {
      const body = 'SELECT throwIf(number = 400000) FROM numbers(1000000) SETTINGS max_threads = 1';
      const response = await ask('wait_end_of_query=1', { body });
      expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([500, '395']);
    });

    it('does not let an error in the middle of a result look like its end', async () => {
      const body = 'SELECT number, throwIf(number = 900000) FROM numbers(1000000) SETTINGS max_threads = 1';
      const outcome = await ask('', { body }).then(
        async (response) => (response.ok ? response.text().catch(() => 'broken off') : 'status'),
        () => 'broken off',
      );
      expect(outcome === 'broken off' || outcome === 'status' || /Code: 395/.test(outcome)).toBe(true);
    });

    it('summarises what it did', async () => {
      const response = await ask(`database=${database}`, {
        body: 'INSERT INTO fruit (id) VALUES (301), (302), (303)',
      });
      const summary = JSON.parse(response.headers.get('x-clickhouse-summary') ?? '{}');
      expect(summary).toMatchObject({ written_rows: '3' });
      expect(response.headers.get('x-clickhouse-query-id')).toMatch(/^[0-9a-f-]{36}$/);
    });
  });
});
