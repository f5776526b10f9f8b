import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import type { Definition, EventCollected, IdentityClaim, Profile, ProfileExpiry } from '#schemas/generated/records.ts';
import { changelogTopic, topics } from '#schemas/topics.ts';
import { EventLog } from '#shared/clickhouse/event-log.ts';
import { claimId, decisionId } from '#shared/identity/claim-id.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { planOf, provisionTopics } from '#shared/kafka/provision-topics.ts';
import { canonicalProfile } from '#shared/profiles/digest.ts';
import { TaskRunner } from '#shared/task/runner.ts';
import { isKafkaNew, putBack } from '../../../deploy/restore/put-back.ts';
import { createLinker } from '../../../services/identity-stitcher/linker.ts';
import { createResolver } from '../../../services/identity-stitcher/resolver.ts';
import { createBackfill } from '../../../services/profile-projector/backfill.ts';
import { createProjector } from '../../../services/profile-projector/projector.ts';
import { addresses } from '../../support/addresses.ts';
import { anEvent } from '../../support/counting-task.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { produce } from '../../support/produce.ts';
import { accountingOf, newestOf, readAll } from '../../support/read-all.ts';
import { until } from '../../support/until.ts';
import { openWarehouse, type Warehouse } from '../../support/warehouse.ts';

const generation = 1;
const hashing = hashingWith(Buffer.alloc(32, 7));
const { profileIdOf: homeOf } = hashing;
const START = Date.now() - 3 * 3_600_000;
const MINUTE = 60_000;

const identifier = (name: string) => {
  const [type = '', value = ''] = name.split(':');
  return { type, value, hash: hashing.hash(type, value) };
};
let minutes = 0;
const event = (messageId: string, ...names: string[]): EventCollected => {
  const received_at = START + ++minutes * MINUTE;
  return {
    ...anEvent(messageId),
    event: 'Tea Bought',
    source: 'web',
    identifiers: names.map(identifier),
    received_at,
    // A claim says when it occurred, too.
    timestamp: received_at - 7 * MINUTE,
    original_timestamp: received_at - 7 * MINUTE,
    payload: '{"type":"track","event":"Order Completed","properties":{"revenue":"1.10","currency":"EUR"}}',
  };
};
const collect = (installation: Installation, ...events: EventCollected[]): Promise<void> =>
  produce(
    installation,
    topics.eventsCollected,
    events.map((value) => ({ key: value.identifiers[0]?.hash ?? '', value })),
  );

/** Stitcher and projector as services have them; after a loss of Kafka with all history to be read. */
function startTasks(installation: Installation, warehouse: Warehouse, rebuilds = false) {
  const { kafka, prefix } = installation;
  const host = installation.host();
  const history = new EventLog(kafka, () => warehouse.client, warehouse.database, prefix);
  const runners = [
    createResolver({ hashing, generation }),
    createLinker({ hashing, generation }),
    createProjector({ generation, homeOf, rebuilds }),
    createBackfill({ generation, homeOf, history, onTrouble: () => undefined }),
  ].map((task) => new TaskRunner(task, host));
  const running = runners.map((runner) => runner.run());
  return async (): Promise<void> => {
    await Promise.all(runners.map((runner) => runner.stop()));
    await Promise.all(running);
  };
}

async function profilesOf(installation: Installation): Promise<Map<string, Profile>> {
  const profiles = new Map<string, Profile>();
  for (const { key, value } of await readAll(installation, topics.profiles)) {
    if (value && !value.gone) profiles.set(key, value);
    else profiles.delete(key);
  }
  return profiles;
}
const contentsOf = async (installation: Installation): Promise<string[]> =>
  [...(await profilesOf(installation)).values()].map(canonicalProfile).sort();

async function outcomesOf(installation: Installation, task: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const totals of await accountingOf(installation))
    if (totals.task === task && totals.topic !== '')
      for (const [outcome, count] of Object.entries(totals.outcomes)) counts[outcome] = (counts[outcome] ?? 0) + count;
  return counts;
}

const decision = (kind: string, names: readonly string[], more: Partial<IdentityClaim> = {}): IdentityClaim => {
  const identifiers = names.map(identifier).sort((a, b) => (a.hash < b.hash ? -1 : 1));
  return {
    claim_id: claimId(kind, identifiers[0]?.hash ?? '', identifiers[1]?.hash ?? '', null, 'support'),
    kind,
    identifiers,
    message_id: null,
    source: null,
    received_at: START,
    occurred_at: null,
    actor: 'support',
    reason: 'they said so',
    target: null,
    rules: null,
    weight: 0.5,
    definitions: [{ definition: 'identity_rules/default', version: 3 }],
    generation,
    ...more,
  };
};
const define = (name: string, version: number, more: Partial<Definition> = {}): Definition => ({
  kind: 'destination',
  name,
  version,
  body: '{}',
  actor: 'a',
  reason: 'b',
  at: START,
  deleted: false,
  ...more,
});

test('Kafka is lost: from ClickHouse come the same profiles, decisions and definitions, and what comes again counts once still', async () => {
  const before = await createInstallation(addresses());
  const after = await createInstallation(addresses());
  const old = await openWarehouse(before);
  const warehouse = await openWarehouse(after);
  try {
    const stop = startTasks(before, old);
    const decisions = [
      decision('cannot_link', ['user_id:cem', 'email:cem@example.com']),
      decision('must_link', ['user_id:ann', 'device_id:d1']),
      decision('withdraw', [], { claim_id: decisionId('withdraw', 'source:crm'), target: 'source:crm' }),
    ];
    const events = [
      event('m1', 'anonymous_id:a1'),
      event('m2', 'user_id:ann', 'anonymous_id:a1'),
      event('m3', 'user_id:ann', 'email:ann@example.com'),
      event('m4', 'device_id:d1'),
      event('m5', 'user_id:cem', 'email:cem@example.com'),
      event('m6', 'email:cem@example.com'),
      { ...event('m7', 'user_id:dan', 'email:ann@example.com'), source: 'crm' },
      event('m8', 'anonymous_id:long-gone'),
    ];
    const gone = identifier('anonymous_id:long-gone');
    const expiry: ProfileExpiry = {
      identifier_type: gone.type,
      hash: gone.hash,
      profile_id: homeOf(gone.hash),
      until: START + 300 * MINUTE,
      decided_at: START + 60 * MINUTE,
      generation,
    };
    await produce(
      before,
      topics.identityClaims,
      decisions.map((value) => ({ key: value.claim_id, value })),
    );
    await collect(before, ...events, events[1] as EventCollected);
    await until('they are stitched', async () => (await outcomesOf(before, 'resolver')).duplicate === 1);
    await produce(before, topics.profileExpiries, [{ key: homeOf(gone.hash), value: expiry }]);
    const definitions = [
      define('crm', 1),
      define('crm', 2, { body: '{"a":1}' }),
      define('old', 1),
      define('old', 2, { deleted: true }),
    ];
    await produce(
      before,
      topics.definitions,
      definitions.map((value) => ({ key: `${value.kind}/${value.name}`, value })),
    );
    const isSettled = async (): Promise<boolean> => {
      const people = [...(await profilesOf(before)).values()];
      const ann = people.find((one) => one.identifiers.some(({ value }) => value === 'ann'));
      const folded = people.reduce((sum, { events }) => sum + events, 0);
      return ann?.events === 4 && ann.identifiers.length === 4 && people.length === 4 && folded === 7;
    };
    await until('profiles are as they must be', isSettled);
    const claims = await newestOf(before, topics.identityClaims);
    const profiles = await contentsOf(before);
    const now = 'SELECT message_id, toString(profile_id) AS profile FROM {db}.events ORDER BY message_id';
    const { size: moved } = await newestOf(before, topics.identityMappings);
    expect(moved).toBeGreaterThan(0);
    await until('ClickHouse has read all', async () => {
      const [read] = await old.rows<Record<string, number>>(
        `SELECT toUInt32((SELECT count() FROM {db}.events)) AS events, toUInt32((SELECT count() FROM {db}.identity_claims_log FINAL)) AS claims,
           toUInt32((SELECT count() FROM {db}.profile_expiries)) AS expiries, toUInt32((SELECT sum(events) FROM {db}.profiles)) AS folded,
           toUInt32((SELECT count() FROM {db}.identity_mappings FINAL)) AS moved`,
      );
      const isRead = read?.events === 8 && read.claims === claims.size && read.expiries === 1 && read.folded === 7;
      return isRead && read.moved === moved;
    });
    const places = await old.rows<{ profile: string }>(now);
    await stop();

    // A ClickHouse that reads the new Kafka, with what it has of the one before.
    const copied = await old.rows<{ name: string }>(
      `SELECT name FROM system.tables WHERE database = '${old.database}' AND engine = 'ReplacingMergeTree'`,
    );
    for (const { name } of copied)
      await warehouse.client.command({
        query: `INSERT INTO ${warehouse.database}.${name} SELECT * FROM ${old.database}.${name}`,
      });
    const { kafka, admin, codecs } = after;
    const around = warehouse.surroundings;
    const lines: string[] = [];
    const there = {
      ...{ kafka, admin, codecs, hashing, around, partitions: 4, replication: 1 },
      clickhouse: warehouse.client,
      say: (line: string) => void lines.push(line),
    };
    await provisionTopics(admin, [planOf(changelogTopic(generation, 'resolver', 'many'), after.prefix, 4, 1)]);
    expect(await isKafkaNew(there)).toBe(true);
    await putBack(there);
    expect(await isKafkaNew(there)).toBe(false);
    // Whoever was interrupted does it again.
    await putBack(there);
    expect(lines).toContain(`identity.claims: ${claims.size} put back`);
    expect(lines).toContain('message ids: 8 put back');
    const again = await newestOf(after, topics.identityClaims);
    expect([...again.values()]).toEqual(expect.arrayContaining([...claims.values()]));
    expect(again.size).toBe(claims.size);
    expect(Object.fromEntries(await newestOf(after, topics.definitions))).toEqual({
      'destination/crm': definitions[1],
      'destination/old': definitions[3],
    });
    expect(await newestOf(after, topics.profileExpiries)).toEqual(new Map([[homeOf(gone.hash), expiry]]));
    expect(await admin.listTopics()).toContain(`${after.prefix}delivery.crm`);

    const end = startTasks(after, warehouse, true);
    let rebuilt: readonly string[] = [];
    const isAsBefore = async (): Promise<boolean> => {
      rebuilt = await contentsOf(after);
      return isDeepStrictEqual(rebuilt, profiles);
    };
    await until('profiles are there again', isAsBefore, undefined, () => rebuilt);
    const late = event('m9', 'user_id:ann', 'anonymous_id:a1');
    await collect(after, ...events, late);
    const taken = () => outcomesOf(after, 'resolver');
    await expect.poll(taken).toMatchObject({ stitched: 1, duplicate: 8 });
    expect(await newestOf(after, topics.identityClaims)).toEqual(again);
    await until('it is folded', async () => [...(await profilesOf(after)).values()].some((one) => one.events === 5));
    const ann = places[0]?.profile;
    let found: unknown;
    const isSame = async (): Promise<boolean> => {
      found = await warehouse.rows(now);
      return isDeepStrictEqual(found, [...places, { message_id: 'm9', profile: ann }]);
    };
    await until('SQL says the same', isSame, undefined, () => [places, found]);
    // The feed begins anew, and what is told of it is not mixed with what was told before.
    const newest = [...(await profilesOf(after)).values()].find(({ profile_id }) => profile_id === ann)?.version;
    const told = `SELECT toUInt32(count()) AS versions, toUInt32(max(version)) AS newest FROM {db}.profile_history WHERE profile_id = '${ann}'`;
    await expect.poll(() => warehouse.rows(told)).toEqual([{ versions: newest, newest }]);
    await end();
  } finally {
    await Promise.all([old.close(), warehouse.close()]);
    await Promise.all([before.close(), after.close()]);
  }
});
