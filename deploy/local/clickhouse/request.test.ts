import { describe, expect, it } from 'vitest';
import { readRequest, statementsFor, undoing, wishesOf } from './request.ts';

const read = (query: string, headers = {}) => readRequest(new URL(`http://x/?${query}`), headers);

describe('what a request asks for', () => {
  it('takes credentials from the URL, from headers, or from basic authorization', () => {
    expect(read('user=a&password=b')).toMatchObject({ user: 'a', password: 'b' });
    expect(read('', { 'x-clickhouse-user': 'a', 'x-clickhouse-key': 'b' })).toMatchObject({ user: 'a', password: 'b' });
    const authorization = `Basic ${Buffer.from('a:b:c').toString('base64')}`;
    expect(read('', { authorization })).toMatchObject({ user: 'a', password: 'b:c' });
    expect(read('')).toMatchObject({ user: 'default', password: '' });
  });

  it('refuses what cannot be a setting, so that nothing is spliced into SQL', () => {
    expect(() => read('a%3D1,b=2')).toThrow(/Code: 115/);
  });

  it('refuses what it would misread', () => {
    expect(() => read('compress=1')).toThrow(/Code: 48/);
    expect(() => read('', { 'content-type': 'multipart/form-data; boundary=x' })).toThrow(/Code: 48/);
  });
});

describe('the statements before the statement', () => {
  const preparing = (query: string, method: string, defaults = {}) =>
    statementsFor(wishesOf(read(query), method, defaults));

  it('sets the database, then settings and parameters as literals', () => {
    const query = "database=a%60b&max_threads=3&param_x=it's%5Cn";
    expect(preparing(query, 'POST', { max_threads: '2', implicit_select: '0' })).toEqual([
      'USE `a\\`b`',
      "SET max_threads = '3', implicit_select = '0', param_x = 'it\\'s\\\\n'",
    ]);
  });

  it('lets a GET change nothing, and readonly come last', () => {
    expect(preparing('', 'GET')).toEqual(["SET readonly = '2'"]);
    expect(preparing('readonly=1&max_threads=1', 'POST')).toEqual(["SET max_threads = '1'", "SET readonly = '1'"]);
  });
});

it('sets a session back to what it had, readonly first', () => {
  const row = (name: string, value: string, changed: boolean) => JSON.stringify({ name, value, changed });
  const found = [row('database', 'a', true), row('readonly', '0', false), row('max_threads', '2', false)];
  expect(undoing(`${found.join('\n')}\n`)).toEqual(['SET readonly = DEFAULT', 'USE `a`', 'SET max_threads = DEFAULT']);
  expect(undoing([row('database', 'a', true), row('max_block_size', '7', true)].join('\n'))).toEqual([
    'USE `a`',
    "SET max_block_size = '7'",
  ]);
});
