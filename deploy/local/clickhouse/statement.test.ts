import { describe, expect, it } from 'vitest';
import { readStatement } from './statement.ts';

describe('the format of a result', () => {
  it.each([
    ['SELECT 1', undefined],
    ['SELECT 1 FORMAT JSON', 'JSON'],
    ['select 1 format JSONEachRow;', 'JSONEachRow'],
    ['SELECT 1 FORMAT CSV SETTINGS max_threads = 1', 'CSV'],
    ["SELECT 'FORMAT JSON'", undefined],
    ['SELECT format FROM t', undefined],
    ['SELECT * FROM (SELECT 1 FORMAT) x', undefined],
    ['SELECT 1 -- FORMAT JSON', undefined],
    ['SELECT 1 /* ; */ FORMAT TSV', 'TSV'],
    ['SELECT `a FORMAT CSV` FROM t FORMAT XML', 'XML'],
  ])('%s', (sql, format) => {
    expect(readStatement(sql).format).toBe(format);
  });
});

describe('data behind an INSERT', () => {
  it.each([
    ['INSERT INTO t FORMAT JSONEachRow\n{"a":1}', '{"a":1}', 'JSONEachRow', ''],
    ['INSERT INTO t FORMAT JSONEachRow {"a":"; SELECT"}', '{"a":"; SELECT"}', 'JSONEachRow', ''],
    ["INSERT INTO t (a, b) VALUES (1, ';'), (2, 'x')", " (1, ';'), (2, 'x')", 'Values', ''],
    ['insert into db.t format CSV\r\n1,"x"\n', '1,"x"\n', 'CSV', ''],
    ['INSERT INTO t', '', 'Values', ' FORMAT Values'],
    ['INSERT INTO t SETTINGS async_insert = 0 FORMAT RowBinary\n\n\0', '\n\0', 'RowBinary', ''],
    ["INSERT INTO FUNCTION null('a Int8') FORMAT TSV\n1", '1', 'TSV', ''],
  ])('%s', (sql, data, format, complete) => {
    const statement = readStatement(sql);
    expect(sql.slice(statement.data?.start)).toBe(data);
    expect(statement).toMatchObject({ verb: 'INSERT', format, data: { complete }, second: undefined });
  });

  it('is none when the rows come from a query', () => {
    expect(readStatement('INSERT INTO t SELECT * FROM u').data).toBeUndefined();
    expect(readStatement('INSERT INTO t (a) WITH 1 AS x SELECT x').data).toBeUndefined();
  });

  it('notices the function that reads it', () => {
    const sql = "INSERT INTO t SELECT a FROM input('a Int8') FORMAT CSV\n1";
    expect(readStatement(sql)).toMatchObject({ readsInput: true, format: 'CSV' });
  });
});

describe('a second statement', () => {
  it.each([
    ['SELECT 1; DROP TABLE t', 10],
    ["SELECT ';'; SELECT 2", 12],
    ['SELECT 1;', undefined],
    ['SELECT 1; -- nothing more\n', undefined],
    ["SELECT 'it''s; fine'", undefined],
    ["SELECT 'back\\'slash; fine'", undefined],
    ['SELECT $tag$ a; b $tag$', undefined],
  ])('%s', (sql, at) => {
    expect(readStatement(sql).second).toBe(at);
  });
});

it('knows the parameters that it uses', () => {
  const sql = "SELECT {a:String}, { b : Array(UInt8) }, '{c:String}', {'d': 1} -- {e:UInt8}";
  expect([...readStatement(sql).parameters]).toEqual(['a', 'b']);
  expect([...readStatement('INSERT INTO {t:Identifier} FORMAT TSV\n{x:1}').parameters]).toEqual(['t']);
});

it('sees a file to be written on the server', () => {
  expect(readStatement("SELECT 1 INTO OUTFILE '/tmp/x'").intoOutfile).toBe(true);
  expect(readStatement("SELECT 'INTO OUTFILE'").intoOutfile).toBe(false);
});

it('finds nothing in nothing', () => {
  expect(readStatement(' -- only a comment\n ;').verb).toBe(';');
  expect(readStatement('').verb).toBe('');
});
