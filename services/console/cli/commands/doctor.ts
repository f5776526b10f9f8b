import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { accountingTopic, movesTopic, topics } from '#schemas/topics.ts';
import { balanceOf } from '#shared/accounting/balance.ts';
import type { Connections } from '../connections.ts';
import type { Output } from '../output.ts';
import { readCounts } from '../read-counts.ts';
import { unitStates } from '../units.ts';

interface Finding {
  readonly what: string;
  readonly advice: string;
}

/** What is wrong, and what to do. Exit code 1 when something is. */
export async function doctor(connections: Connections): Promise<Output> {
  const s = connections.settings;
  const findings: Finding[] = [];
  const find = (what: string, advice: string): void => void findings.push({ what, advice });

  const secret = s.secretFile || join(s.dataDirectory, 'secret');
  if (!existsSync(secret))
    find(
      `the installation’s secret is not at ${secret}`,
      'restore it from your copy: without it no identifier can be found; or set TRIBUTARY_DATA',
    );
  const units = await unitStates(connections);
  for (const { name, ready, address, note } of units)
    if (!ready)
      find(
        `${name} is not ready at ${address}: ${note}`,
        `see its log (${join(s.dataDirectory, 'logs', `${name}.log`)}), or start it: npm start`,
      );
  const answers = (name: string): boolean => units.some((unit) => unit.name === name && unit.ready);

  if (answers('kafka')) {
    const admin = await connections.kafka();
    const there = new Set(await admin.listTopics());
    const wanted = [...Object.values(topics), movesTopic(s.generation), accountingTopic(s.generation)].map(
      ({ name }) => s.prefix + name,
    );
    const missing = wanted.filter((topic) => !there.has(topic));
    if (missing.length > 0) find(`topics are missing: ${missing.join(', ')}`, 'run node deploy/provision.ts');
    else if (answers('clickhouse')) await examineBooks(connections, find);
  }
  if (answers('clickhouse')) await examineClickHouse(connections, find);
  return {
    json: { ok: findings.length === 0, findings },
    text:
      findings.length === 0
        ? 'all is well'
        : findings.map(({ what, advice }) => `! ${what}${advice ? `\n  → ${advice}` : ''}`).join('\n'),
    exitCode: findings.length === 0 ? 0 : 1,
  };
}

async function examineBooks(connections: Connections, find: (what: string, advice: string) => void): Promise<void> {
  const books = balanceOf(await readCounts(connections, true));
  if (books.differences.length > 0)
    find(
      `the books do not balance:\n${books.differences.map((one) => `    ${one}`).join('\n')}`,
      'while events flow, some are always on their way: look again in a minute. What stays is lost or twice: report it',
    );
  const rejected = books.rejected.reduce((sum, { count }) => sum + count, 0);
  if (rejected > 0) find(`${rejected} events were rejected`, '`tributary rejected` tells why');
  if (books.dead > 0) find(`${books.dead} deliveries were given up`, '`tributary deliveries` tells why');
}

async function examineClickHouse(
  connections: Connections,
  find: (what: string, advice: string) => void,
): Promise<void> {
  const errors = await connections.rows<{ topic: string; count: number; error: string }>(
    'SELECT topic, toUInt32(count()) AS count, any(error) AS error FROM ingest_errors GROUP BY topic',
  );
  for (const { topic, count, error } of errors)
    find(
      `ClickHouse could not read ${count} records of ${topic}: ${error.split('\n', 1)[0]}`,
      'they are kept in the table ingest_errors',
    );
}
