import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Generation, Identifier, IdentityMapping, Profile } from '#schemas/generated/records.ts';
import { generationsTopic, topics } from '#schemas/topics.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { aProfile } from '#shared/profiles/a-profile.fixture.ts';
import { createLog } from '#shared/service/log.ts';
import { announceEdition } from '../../../services/console/adapters/announce-edition.ts';
import { IdentityWarehouse } from '../../../services/console/adapters/identity-warehouse.ts';
import { ProfileView } from '../../../services/console/adapters/profile-view.ts';
import { queryOf } from '../../../services/console/adapters/query.ts';
import { makeTraitView } from '../../../services/console/adapters/trait-view.ts';
import { Warehouse } from '../../../services/console/adapters/warehouse.ts';
import { answerTo } from '../../../services/console/answer.ts';
import { referenceIn } from '../../../services/console/core/parameters.ts';
import type { ProfileQuestion } from '../../../services/console/core/question.ts';
import { traitViewOf } from '../../../services/console/core/trait-view.ts';
import { addresses } from '../../support/addresses.ts';
import { anEvent } from '../../support/counting-task.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { produce } from '../../support/produce.ts';
import { until } from '../../support/until.ts';
import { type Warehouse as Opened, openWarehouse } from '../../support/warehouse.ts';

const hashing = hashingWith(Buffer.alloc(32, 7));
const identifier = (value: string): Identifier => ({ type: 'user_id', value, hash: hashing.hash('user_id', value) });
const home = (value: string): string => hashing.profileIdOf(identifier(value).hash);
/** Of each pair the identifiers are one person in the odd editions, and two in the even ones. */
const PAIRS = 30;
const numbers = Array.from({ length: PAIRS }, (_, n) => n);
const ones = numbers.map((n) => `one-${n}`);
const others = numbers.map((n) => `other-${n}`);

let installation: Installation;
let opened: Opened;
let directory: string;
let running: { view: ProfileView; done: Promise<void> } | undefined;
beforeAll(async () => {
  installation = await createInstallation(addresses());
  opened = await openWarehouse(installation);
  directory = mkdtempSync(join(tmpdir(), 'tributary-editions-'));
  const body = definitionKinds.traits.parse({ type: 'number' });
  const definitions = new Definitions([{ kind: 'traits', name: 'mark', version: 1, body }]);
  await makeTraitView(opened.client, traitViewOf(definitions, { database: opened.database, cluster: '' }));
});
afterAll(async () => {
  await stop();
  await opened.close();
  await installation.close();
  rmSync(directory, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const { kafka, codecs, prefix } = installation;
  const log = createLog('test', process.env.TRIBUTARY_TEST_LOG ?? 'silent');
  const view = new ProfileView({ kafka, codecs, prefix, hashing, directory, log });
  running = { view, done: view.run() };
  await until('the view has caught up', () => view.notReady().length === 0);
}

async function stop(): Promise<void> {
  const stopping = running;
  running = undefined;
  await stopping?.view.stop();
  await stopping?.done;
}

const version = (
  of: string,
  n: number,
  edition: number,
  identifiers: readonly string[],
  rest: Partial<Profile> = {},
) => {
  const value = aProfile(home(of), n, {
    identifiers: identifiers.map(identifier),
    traits: [
      {
        name: 'mark',
        value: String(edition),
        timestamp: 0,
        message_id: 'm',
        source: 's',
        sensitivity: 'none',
      },
    ],
    updated_at: 1_700_000_000_000,
    edition,
    ...rest,
  });
  return { key: value.profile_id, value };
};
const gone = (of: string, n: number, edition: number, into: string) => [
  version(of, n, edition, [], { gone: true, into: home(into) }),
  { key: home(of), value: null },
];
const mapping = (of: string, to: string, n: number, edition: number) => {
  const { hash } = identifier(of);
  const value: IdentityMapping = {
    hash,
    profile_id: home(to),
    version: n,
    decided_at: 0,
    generation: edition,
    edition,
  };
  return { key: hash, value };
};

/** All that one edition says. In the even ones the last pair is one person, too, but the other is who stays. */
const editionOf = (edition: number) => {
  const apart = edition % 2 === 0;
  const first = edition === 1;
  return {
    profiles: numbers.flatMap((n) => {
      const [one, other] = [ones[n] as string, others[n] as string];
      if (!apart)
        return [version(one, edition + 1, edition, [one, other]), ...(first ? [] : gone(other, edition, edition, one))];
      if (n === PAIRS - 1)
        return [version(other, edition, edition, [one, other]), ...gone(one, edition + 1, edition, other)];
      return [version(one, edition + 1, edition, [one]), version(other, edition, edition, [other])];
    }),
    mappings: numbers.flatMap((n) => {
      const [one, other] = [ones[n] as string, others[n] as string];
      const isSwapped = n === PAIRS - 1;
      return [
        mapping(other, apart ? other : one, edition * 10, edition),
        ...(isSwapped && !first ? [mapping(one, apart ? other : one, edition * 10, edition)] : []),
      ];
    }),
  };
};

let [versions, mappings] = [0, 0];
/** What another generation publishes; it is there for everybody who reads the topics, and nobody has gone over to it. */
async function publish(edition: number): Promise<void> {
  const said = editionOf(edition);
  versions += said.profiles.filter(({ value }) => value !== null).length;
  mappings += said.mappings.length;
  await produce(installation, topics.profiles, said.profiles);
  await produce(installation, topics.identityMappings, said.mappings);
  // Each is the only one of its profile in this edition; the newest of all editions are read a moment after the versions.
  await until(`ClickHouse has read edition ${edition}`, async () => {
    const [read] = await opened.rows<{ v: number; l: number; m: number }>(
      `SELECT toUInt32((SELECT count() FROM {db}.profile_versions FINAL)) AS v, toUInt32((SELECT uniqExact(profile_id, edition) FROM {db}.profiles_latest)) AS l,
         toUInt32((SELECT uniqExact(hash, version) FROM {db}.identity_mappings)) AS m`,
    );
    return read?.v === versions && read.l === versions && read.m === mappings;
  });
}

const generation = (number: number, state: string, edition: number) => {
  const value: Generation = {
    generation: number,
    state,
    edition,
    claims: 'recorded',
    claims_cut: 0,
    history: 'clickhouse',
    definitions: '',
    started_at: 0,
    changed_at: 0,
    actor: '',
    reason: '',
  };
  return { key: String(number), value };
};

/** One query of all views. */
const sql = `
  SELECT
    (SELECT toString(arraySort(groupUniqArray(tuple(version, toString(traits.mark))))) FROM {db}.profiles WHERE NOT has(identifiers, 'user_id:same')) AS profiles,
    (SELECT toUInt32(count()) FROM {db}.profiles) AS people,
    (SELECT toString(groupUniqArray(mark)) FROM {db}.profile_traits WHERE profile_id != '${home('same')}') AS traits,
    (SELECT toUInt32(max(version)) FROM {db}.profile_history) AS newest,
    (SELECT toUInt32(uniqExact(profile_id)) FROM {db}.events) AS whose,
    (SELECT toUInt32(count()) FROM {db}.events AS event INNER JOIN {db}.profiles AS profile ON event.profile_id = profile.profile_id) AS found`;
const ofSql = async (): Promise<string> => JSON.stringify((await opened.rows(sql))[0]);

/** What the read API says of all at once, by each identifier and by each id that there ever was; undefined while it does not answer. */
async function ofApi(): Promise<string | undefined> {
  const view = running?.view;
  if (!view?.answers) return undefined;
  const query = queryOf(opened.client, opened.database);
  const sources = {
    ...{ hashing, view },
    rules: () => defaultIdentityRules,
    filling: () => new Map<string, number>(),
    warehouse: new Warehouse(query, view.edition),
    identity: new IdentityWarehouse(query, view.edition),
  };
  const rights = { sensitive: true, sensitiveTraits: new Map<string, boolean>() };
  const ask = (question: ProfileQuestion): Promise<unknown> => answerTo(question, rights, sources);
  const all = [...ones, ...others];
  const asked = [...all.map((value) => `user_id:${value}`), ...all.map((value) => `profile_id:${home(value)}`)];
  const names = new Map(all.map((value) => [home(value), value]));
  const about = referenceIn('user_id:one-0', 'it');
  const page = { limit: 100, before: undefined, after: undefined };
  const [batch, then, history] = (await Promise.all([
    ask({ part: 'batch', profiles: asked }),
    ask({ part: 'profile', reference: about, at: 1_700_000_001_000 }),
    ask({ part: 'history', reference: about, page }),
  ])) as [{ profiles: Shape[] }, Shape, { versions: { version: number }[] }];
  const told = batch.profiles.map(
    (one, i) => `${asked[i]?.slice(0, 10)} ${names.get(one.profile_id)} ${one.traits?.mark}`,
  );
  return JSON.stringify([told, then.traits?.mark, history.versions.map((one) => one.version)]);
}
interface Shape {
  readonly profile_id: string;
  readonly traits?: Readonly<Record<string, unknown>>;
}

/** Asks all the while. What was answered, each once for every time that it changed. */
function asking(ask: () => Promise<string | undefined>) {
  const seen: string[] = [];
  let asked = 0;
  let isOver = false;
  const done = (async () => {
    while (!isOver) {
      const answer = await ask();
      if (answer !== undefined) asked++;
      if (answer !== undefined && answer !== seen.at(-1)) seen.push(answer);
      await sleep(1);
    }
  })();
  const stop = async (): Promise<void> => {
    isOver = true;
    await done;
  };
  onTestFinished(stop);
  return { seen, asked: () => asked, stop };
}

test('readers see one edition, then all of the next, whatever has arrived of it, and another after that', async () => {
  await produce(
    installation,
    topics.eventsStitched,
    others.map((other, n) => ({
      key: home(other),
      value: { ...anEvent(`e${n}`), identifiers: [identifier(other)], profile_id: home(other), mapping_version: 0 },
    })),
  );
  versions = 1;
  await produce(installation, topics.profiles, [version('same', 1, 1, ['same'])]);
  await publish(1);
  await start();
  await until('events are there', async () => (JSON.parse(await ofSql()) as { whose: number }).whose === PAIRS);
  const [bySql, byApi] = [asking(ofSql), asking(ofApi)];
  const both = async (what: string, changes: number): Promise<void> => {
    const [before, beforeApi] = [bySql.asked(), byApi.asked()];
    await until(what, () => bySql.asked() > before + 3 && byApi.asked() > beforeApi + 3);
    expect([bySql.seen.length, byApi.seen.length], what).toEqual([changes, changes]);
  };
  await both('they ask', 1);
  for (const [edition, from, to] of [
    [2, 1, 2],
    [3, 2, 1],
  ] as const) {
    await produce(installation, generationsTopic, [generation(to, edition === 2 ? 'replaying' : 'retired', edition)]);
    await publish(edition);
    await both(`edition ${edition} is there`, edition - 1);
    // What it held back it holds back again, be it on disk or in the topics.
    await stop();
    if (edition === 3) rmSync(directory, { recursive: true });
    await start();
    await both('it was started again', edition - 1);
    await announceEdition(opened.client, opened.database, { edition, generation: to, at: Date.now() });
    await produce(installation, generationsTopic, [
      generation(from, 'retired', edition - 1),
      generation(to, 'live', edition),
    ]);
    await until('both have gone over', () => bySql.seen.length >= edition && byApi.seen.length >= edition);
    await both('what comes after is the same', edition);
  }
  // A version of the live generation is seen at once.
  await produce(installation, topics.profiles, [version('one-0', 5, 3, ['one-0', 'other-0'])]);
  await until('it is seen', () => {
    const { newest, profiles } = JSON.parse(bySql.seen.at(-1) ?? '{}') as { newest?: number; profiles?: string };
    return newest === 5 && profiles?.includes(`(5,'3')`) === true;
  });
  await until('and by the API', () => byApi.seen.at(-1)?.includes('[5,4,3,2]') === true);
  await Promise.all([bySql.stop(), byApi.stop()]);

  const sqlOf = (edition: number) => ({
    profiles: edition % 2 === 0 ? `[(2,'2'),(3,'2')]` : `[(${edition + 1},'${edition}')]`,
    people: 1 + (edition % 2 === 0 ? 2 * PAIRS - 1 : PAIRS),
    traits: `[${edition}]`,
    newest: edition + 1,
    ...{ whose: PAIRS, found: PAIRS },
  });
  expect(bySql.seen.slice(0, 3).map((one) => JSON.parse(one))).toEqual([1, 2, 3].map(sqlOf));
  const apiOf = (edition: number) => {
    const apart = edition % 2 === 0;
    const who = (value: string): string => {
      const n = Number(value.split('-')[1]);
      if (!apart) return `one-${n}`;
      return n === PAIRS - 1 ? `other-${n}` : value;
    };
    const told = ['user_id:on', 'profile_id'].flatMap((by) =>
      [...ones, ...others].map(
        (value) => `${by === 'profile_id' ? by : `user_id:${value}`.slice(0, 10)} ${who(value)} ${edition}`,
      ),
    );
    return [told, edition, Array.from({ length: edition }, (_, i) => edition + 1 - i)];
  };
  expect(byApi.seen.slice(0, 3).map((one) => JSON.parse(one))).toEqual([1, 2, 3].map(apiOf));
});
