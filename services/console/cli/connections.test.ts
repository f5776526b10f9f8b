import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { invocationOf } from './config.ts';
import { Connections } from './connections.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Asks for rows where the first so many connections are closed as soon as something is asked. */
async function askedWhere(
  closed: number,
): Promise<{ readonly rows: Promise<unknown[]>; readonly asked: () => number }> {
  let asked = 0;
  const server = createServer((request, response) => {
    if (asked++ < closed) request.socket.destroy();
    else response.end('{"n":1}\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const directory = mkdtempSync(join(tmpdir(), 'tributary-connections-'));
  writeFileSync(join(directory, 'clickhouse-password'), 'secret');
  ends.push(
    () => server.close(),
    () => rmSync(directory, { recursive: true }),
  );
  const invocation = invocationOf(['status']);
  if ('errors' in invocation) throw new Error(invocation.errors.join('\n'));
  const connections = new Connections({
    ...invocation.settings,
    clickhouseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    clickhousePasswordFile: join(directory, 'clickhouse-password'),
  });
  return {
    rows: connections.rows('SELECT 1 AS n').finally(() => connections.clickhouse().close()),
    asked: () => asked,
  };
}

test('a connection that ClickHouse closes just as something is asked is no answer: it is asked once more', async () => {
  const { rows, asked } = await askedWhere(1);
  expect(await rows).toEqual([{ n: 1 }]);
  expect(asked()).toBe(2);
});

test('where it goes on closing them, that is told', async () => {
  const { rows, asked } = await askedWhere(9);
  await expect(rows).rejects.toThrow('ClickHouse says: socket hang up');
  expect(asked()).toBe(2);
});
