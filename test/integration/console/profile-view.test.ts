import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Identifier, Profile, TraitFill } from '#schemas/generated/records.ts';
import { topics, traitFillsTopic } from '#schemas/topics.ts';
import { applyDefinitions } from '#shared/definitions/apply.ts';
import { validateDefinitions } from '#shared/definitions/validate.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { createLog } from '#shared/service/log.ts';
import { DefinitionsInForce } from '../../../services/console/adapters/definitions-in-force.ts';
import { ProfileView } from '../../../services/console/adapters/profile-view.ts';
import { ViewStore } from '../../../services/console/adapters/view-store.ts';
import { nothing } from '../../../services/profile-projector/core/profile.ts';
import { addresses } from '../../support/addresses.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { until } from '../../support/until.ts';

const hashing = hashingWith(Buffer.alloc(32, 7));
const identifier = (value: string): Identifier => ({ type: 'user_id', value, hash: hashing.hash('user_id', value) });
const hashOf = (value: string): string => identifier(value).hash;
/** The default profile of a user id. */
const home = (value: string): string => hashing.profileIdOf(hashOf(value));

let installation: Installation;
let directory: string;
let running: { view: ProfileView; done: Promise<void> } | undefined;

beforeEach(async () => {
  installation = await createInstallation(addresses());
  directory = mkdtempSync(join(tmpdir(), 'tributary-view-'));
});
afterEach(async () => {
  await stop();
  await installation.close();
  rmSync(directory, { recursive: true, force: true });
});

async function start(): Promise<ProfileView> {
  const { kafka, codecs, prefix } = installation;
  const log = createLog('test', process.env.TRIBUTARY_TEST_LOG ?? 'silent');
  const view = new ProfileView({ kafka, codecs, prefix, hashing, directory, log });
  running = { view, done: view.run() };
  await until('the view has caught up', () => view.notReady().length === 0);
  return view;
}

async function stop(): Promise<void> {
  await running?.view.stop();
  await running?.done;
  running = undefined;
}

async function produce(records: readonly { topic: string; key: string; value: Buffer | null }[]): Promise<void> {
  const producer = installation.kafka.producer();
  await producer.connect();
  for (const { topic, ...message } of records) await producer.send({ topic, messages: [message] });
  await producer.disconnect();
}

const profilesTopic = () => installation.prefix + topics.profiles.name;

async function profile(id: string, version: number, values: readonly string[], gone?: { into: string | null }) {
  const codec = await installation.codecs.ofTopic(profilesTopic(), 'Profile');
  const record: Profile = {
    ...nothing,
    profile_id: id,
    kind: 'person',
    version,
    identifiers: values.map(identifier),
    traits: [],
    computed: [],
    audiences: [],
    consents: [],
    events: gone ? 0 : version,
    event_counts: [],
    revenue: [],
    sources: [],
    first_seen: 0,
    last_seen: 0,
    flags: [],
    changed: [],
    causes: [],
    why: [],
    updated_at: 0,
    gone: gone !== undefined,
    into: gone?.into ?? null,
    definitions: [],
    generation: 1,
    edition: 1,
  };
  return { topic: profilesTopic(), key: id, value: codec.encode(record) };
}

const tombstone = (id: string) => ({ topic: profilesTopic(), key: id, value: null });

async function mapping(value: string, profileId: string, version: number) {
  const topic = installation.prefix + topics.identityMappings.name;
  const codec = await installation.codecs.ofTopic(topic, 'IdentityMapping');
  const record = { hash: hashOf(value), profile_id: profileId, version, decided_at: 0, generation: 1, edition: 1 };
  return { topic, key: record.hash, value: codec.encode(record) };
}

/** Two people, who then become one: `b` moves to `a`. */
async function merged() {
  await produce([await profile(home('a'), 1, ['a']), await profile(home('b'), 1, ['b'])]);
  await produce([
    await mapping('b', home('a'), 5),
    await profile(home('a'), 2, ['a', 'b']),
    await profile(home('b'), 2, [], { into: home('a') }),
    tombstone(home('b')),
  ]);
}

const versionAt = async (view: ProfileView, value: string) => (await view.byHash(hashOf(value)))?.version;

describe('the view of profiles', () => {
  test('finds by any identifier and any former id, while it is followed', async () => {
    const view = await start();
    expect(await view.byHash(hashOf('a'))).toBeUndefined();
    await merged();
    await until('b is found with a', async () => (await view.byHash(hashOf('b')))?.profile_id === home('a'));
    await until('the tombstone has come', async () => (await view.byId(home('b')))?.version === 2);
    expect((await view.byId(home('b')))?.profile_id).toBe(home('a'));
    expect((await view.byHash(hashOf('a')))?.version).toBe(2);
    await until('the mapping has come', () => view.mappingVersion(hashOf('b')) === 5);
    expect(view.mappingVersion(hashOf('a'))).toBe(0);
    // An id that returns is itself again.
    await produce([
      await mapping('b', home('b'), 9),
      await profile(home('b'), 3, ['b']),
      await profile(home('a'), 3, ['a']),
    ]);
    await until('b has returned', async () => (await view.byHash(hashOf('b')))?.profile_id === home('b'));
    await until('as it is now', async () => (await view.byId(home('b')))?.version === 3);
  });

  test('goes on where it was after a restart', async () => {
    await produce([await profile(home('a'), 1, ['a'])]);
    expect(await versionAt(await start(), 'a')).toBe(1);
    await stop();
    await leaveGhost();
    await produce([await profile(home('a'), 2, ['a'])]);
    const view = await start();
    expect(await versionAt(view, 'a')).toBe(2);
    expect(await view.byId(home('ghost')), 'what was on disk is still there').toBeDefined();
  });

  test('is rebuilt from the topics when its folder is lost, also what is known of ids whose records were compacted away', async () => {
    await produce([
      await profile(home('a'), 2, ['a', 'b']),
      // Of b's own profile nothing is left but the tombstone, and in the end not even that.
      tombstone(home('b')),
      await mapping('b', home('a'), 5),
      await mapping('c', home('a'), 6),
      await profile(home('a'), 3, ['a', 'b', 'c']),
    ]);
    await start();
    await stop();
    rmSync(directory, { recursive: true });
    const view = await start();
    for (const value of ['a', 'b', 'c']) {
      expect((await view.byHash(hashOf(value)))?.profile_id).toBe(home('a'));
      expect((await view.byId(home(value)))?.profile_id).toBe(home('a'));
    }
  });

  test.each([
    ['its offsets are beyond what the topics have', { next: 1_000_000 }, {}],
    ['it was made from another cluster', {}, { cluster: 'another' }],
    ['it has lain unused for a month', {}, { at: Date.now() - 30 * 86_400_000 }],
  ])('is rebuilt when %s', async (_, batch, header) => {
    await produce([await profile(home('a'), 1, ['a'])]);
    await start();
    await stop();
    await leaveGhost(batch, header);
    const view = await start();
    expect(await versionAt(view, 'a')).toBe(1);
    expect(await view.byId(home('ghost')), 'what was on disk is gone').toBeUndefined();
  });

  test('passes over what it cannot read', async () => {
    await produce([
      await profile(home('a'), 1, ['a']),
      { topic: profilesTopic(), key: home('a'), value: Buffer.from('junk') },
      await profile(home('b'), 1, ['b']),
    ]);
    const view = await start();
    expect(await versionAt(view, 'a')).toBe(1);
    expect(await versionAt(view, 'b')).toBe(1);
  });
});

/** Writes a profile that no topic has into the view on disk: it is there afterwards unless the view was rebuilt. */
async function leaveGhost(
  batch: { next?: number } = {},
  header: { cluster?: string; at?: number } = {},
): Promise<void> {
  const store = new ViewStore(directory);
  const before = store.header;
  if (!before) throw new Error('the view has never been written');
  const place = [...store.offsets()].find(([name]) => name.startsWith(`${profilesTopic()}/`));
  if (!place) throw new Error('no offset of profiles');
  const { value } = await profile(home('ghost'), 1, ['ghost']);
  const partition = Number(place[0].slice(profilesTopic().length + 1));
  await store.write(
    [{ key: `p/${home('ghost')}`, value, edition: 1 }],
    { topic: profilesTopic(), partition, next: batch.next ?? place[1] },
    { ...before, ...header },
  );
  await store.close();
}

test('computed traits are told to be filling until their newest version is filled', async () => {
  const { kafka, codecs, prefix } = installation;
  const inForce = new DefinitionsInForce(kafka, codecs, prefix, 1, createLog('test', 'silent'));
  const done = inForce.run();
  const define = async (spec: object) => {
    const read = validateDefinitions(JSON.stringify({ kind: 'traits', name: 'orders', spec }), 'it');
    if ('errors' in read) throw new Error(read.errors.join('\n'));
    const authorship = { actor: 'test', reason: '', at: 0 };
    await applyDefinitions({ kafka, codecs, prefix, partitions: 4, replication: 1 }, read.definitions, authorship);
  };
  const fill = async (changes: Partial<TraitFill>) => {
    const none = {
      trait: 'orders',
      version: 1,
      compute: '{}',
      time_zone: 'UTC',
      partition: -1,
      partitions: 4,
      cut: 0,
      rows: 0,
      of: 0,
    };
    const value: TraitFill = { ...none, complete: false, ...changes };
    const topic = traitFillsTopic(1);
    const codec = await codecs.ofTopic(prefix + topic.name, topic.value);
    await produce([{ topic: prefix + topic.name, key: `orders@${value.version}`, value: codec.encode(value) }]);
  };
  const filling = (wanted: object) =>
    until(
      `${JSON.stringify(wanted)} is filling`,
      () => JSON.stringify(Object.fromEntries(inForce.filling())) === JSON.stringify(wanted),
    );
  await define({ compute: { aggregate: 'count' } });
  await filling({ orders: 0 });
  await fill({ rows: 43, of: 100 });
  await filling({ orders: 0.43 });
  await fill({ rows: 100, of: 100 });
  await filling({ orders: 0.99 });
  await fill({ rows: 100, of: 100, complete: true });
  await filling({});
  await define({ compute: { aggregate: 'count' }, type: 'number' });
  await filling({ orders: 0 });
  await inForce.stop();
  await done;
});
