import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { generationsTopic, internalTopics, topics } from '#schemas/topics.ts';
import { type Balance, balanceOf } from '#shared/accounting/balance.ts';
import { nextLiveOf } from '#shared/generations/lifecycle.ts';
import { readGenerations } from '#shared/generations/records.ts';
import type { Connections } from '../connections.ts';
import { examineProfiles } from '../examine-profiles.ts';
import type { Output } from '../output.ts';
import { readCounts } from '../read-counts.ts';
import { unitStates } from '../units.ts';
import { halfSwitched, homeOf } from './replay.ts';

interface Finding {
  readonly what: string;
  readonly advice: string;
}

type Say = (what: string, advice: string) => void;

/** What is wrong now, and what to do; and what is worth a look. Exit code 1 when something is wrong. */
export async function doctor(connections: Connections): Promise<Output> {
  const s = connections.settings;
  const findings: Finding[] = [];
  const notes: Finding[] = [];
  const find: Say = (what, advice) => void findings.push({ what, advice });
  const note: Say = (what, advice) => void notes.push({ what, advice });

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
    const all = [...Object.values(topics), ...internalTopics(s.generation), generationsTopic];
    const wanted = all.map(({ name }) => s.prefix + name);
    const missing = wanted.filter((topic) => !there.has(topic));
    if (missing.length > 0) find(`topics are missing: ${missing.join(', ')}`, 'run node deploy/provision.ts');
    else if (answers('registry')) await examineGenerations(connections, find);
    if (missing.length === 0 && answers('clickhouse')) {
      await examineBooks(connections, find, note);
      await examineProfiles(connections, find, note);
    }
  }
  if (answers('clickhouse')) await examineClickHouse(connections, find);
  const written =
    (mark: string) =>
    ({ what, advice }: Finding): string =>
      `${mark} ${what}${advice ? `\n  → ${advice}` : ''}`;
  return {
    json: { ok: findings.length === 0, findings, notes },
    text: [...(findings.length === 0 ? ['all is well'] : findings.map(written('!'))), ...notes.map(written('·'))].join(
      '\n',
    ),
    exitCode: findings.length === 0 ? 0 : 1,
  };
}

/** Nobody publishes between two. */
async function examineGenerations(connections: Connections, find: Say): Promise<void> {
  const begun = nextLiveOf(await readGenerations(await homeOf(connections)));
  if (begun) find(...halfSwitched(begun));
}

async function examineBooks(connections: Connections, find: Say, note: Say): Promise<void> {
  const books = balanceOf(await readCounts(connections, true));
  const list = (what: readonly string[]): string => what.map((one) => `\n    ${one}`).join('');
  if (books.differences.length > 0)
    find(
      `the books do not balance:${list(books.differences)}`,
      'while events flow, some are always on their way: look again in a minute. What stays is lost or twice: report it',
    );
  if (books.expired.length > 0)
    note(
      `retention or compaction took records away before they were read:${list(books.expired)}`,
      'whoever has read fewer has read all that is left: it began late, or was away for long',
    );
  const [today] = await connections.rows<{ rejected: number; dead: number }>(
    `SELECT toUInt32((SELECT count() FROM rejected_events WHERE received_at > now() - INTERVAL 24 HOUR)) AS rejected,
       toUInt32((SELECT count() FROM deliveries WHERE outcome = 'dead' AND finished_at > now() - INTERVAL 24 HOUR)) AS dead`,
  );
  const rejected = books.rejected.reduce((sum, { count }) => sum + count, 0);
  if (rejected > 0)
    note(`${rejected} events were rejected, ${today?.rejected} in the last 24 hours`, '`tributary rejected` tells why');
  if (books.dead > 0)
    note(
      `${books.dead} deliveries were given up, ${today?.dead} in the last 24 hours`,
      '`tributary deliveries` tells why',
    );
  if (books.quarantined > 0) await examineQuarantine(connections, books, note);
}

/** What waits until a person, or the linker, decides otherwise. */
async function examineQuarantine(connections: Connections, { quarantined, held }: Balance, note: Say): Promise<void> {
  const profiles = await connections.rows<{ id: string; reason: string; since: string }>(
    `SELECT toString(profile_id) AS id, last.3 AS reason, formatDateTime(last.4, '%Y-%m-%d %H:%i', 'UTC') AS since
     FROM (SELECT profile_id, argMax((kind, version, reason, decided_at), (version, kind = 'released')) AS last
       FROM identity_changes WHERE kind IN ('quarantined', 'released') GROUP BY profile_id)
     WHERE last.1 = 'quarantined' ORDER BY last.4 DESC, id LIMIT 5`,
  );
  const list = profiles.map(({ id, reason, since }) => `\n    ${id}: ${reason.replace('_', ' ')}, since ${since} UTC`);
  note(
    `${quarantined} profiles are in quarantine; ${held} deliveries wait for them:${list.join('')}`,
    'look at one with `tributary identity graph ID`; what does not belong together, part with `unlink`, or `block` the value that joins it',
  );
}

async function examineClickHouse(connections: Connections, find: Say): Promise<void> {
  const errors = await connections.rows<{ topic: string; count: number; error: string }>(
    'SELECT topic, toUInt32(count()) AS count, any(error) AS error FROM ingest_errors GROUP BY topic',
  );
  for (const { topic, count, error } of errors)
    find(
      `ClickHouse could not read ${count} records of ${topic}: ${error.split('\n', 1)[0]}`,
      'they are kept in the table ingest_errors',
    );
}
