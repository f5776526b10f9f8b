import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EventCollected } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import { applyDefinitions } from '#shared/definitions/apply.ts';
import { followDefinitions } from '#shared/definitions/feed.ts';
import { validateDefinitions } from '#shared/definitions/validate.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { addDigests, canonicalProfile, digestOf } from '#shared/profiles/digest.ts';
import { createLog } from '#shared/service/log.ts';
import { readSecret } from '#shared/service/start-up.ts';
import { differences, outcomesOf } from '../../deploy/local/sample/books.ts';
import { readRecords } from '../../deploy/local/sample/kafka-records.ts';
import { followLedger } from '../../deploy/local/sample/ledger.ts';
import { referenceFold } from '../../deploy/local/sample/reference-fold.ts';
import { Simulation } from '../../services/identity-stitcher/simulation.ts';
import { asSent, identityRows, type Row } from '../support/identity-stream.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
import { Instance } from '../support/instances.ts';
import { type RunningPlatform, startPlatform } from '../support/platform.ts';
import { randomFrom } from '../support/random.ts';
import { feedOf } from '../support/river-checks.ts';
import { until } from '../support/until.ts';

const EVENTS = 6_000;
const IN_A_REQUEST = 25;
/** Between two requests: the stream flows as long as it is shot at. */
const PAUSE_MS = 80;
const KILLS = 6;
const PARTITIONS = 6;

let platform: RunningPlatform;
let installation: Installation;
let env: Record<string, string>;
const instances: Instance[] = [];

const start = async (service: string): Promise<Instance> => {
  const directory = join(platform.dataDir, `${service}-${instances.length}`);
  const instance = await Instance.start(service, directory, env);
  instances.push(instance);
  return instance;
};

beforeAll(async () => {
  platform = await startPlatform({ parts: ['kafka', 'registry'] });
  installation = await createInstallation(platform, PARTITIONS);
  env = {
    ...platform.env,
    TRIBUTARY_PREFIX: installation.prefix,
    TRIBUTARY_PARTITIONS: String(PARTITIONS),
    TRIBUTARY_SECRET_FILE: join(platform.dataDir, 'secret'),
  };
  const file = new URL('../../deploy/local/definitions.yaml', import.meta.url);
  const valid = validateDefinitions(readFileSync(file, 'utf8'), 'definitions.yaml');
  if ('errors' in valid) throw new Error(valid.errors.join('\n'));
  const { kafka, codecs, prefix } = installation;
  // Computed traits would be filled from ClickHouse first, of which there is none here.
  const definitions = valid.definitions.filter(({ kind }) => kind !== 'traits');
  await applyDefinitions({ kafka, codecs, prefix, partitions: PARTITIONS, replication: 1 }, definitions, {
    actor: 'test',
    reason: '',
    at: Date.now(),
  });
});
afterAll(async () => {
  await Promise.all(instances.map((instance) => instance.stop()));
  await installation?.close();
  await platform?.stop();
});

/** @param mayGoOn asked before each request, with the share that is sent by then */
async function send(collector: Instance, rows: readonly Row[], mayGoOn: (sent: number) => boolean): Promise<void> {
  for (let from = 0; from < rows.length; from += IN_A_REQUEST) {
    await until('the next kill', () => mayGoOn(from / rows.length));
    const batch = rows.slice(from, from + IN_A_REQUEST).map(asSent);
    const response = await fetch(`${collector.url}/v1/batch`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa('local-web:')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ batch }),
    });
    expect(response.status, await response.text()).toBe(200);
    await sleep(PAUSE_MS);
  }
}

test('kill -9 of stitchers and projectors while two, then three of them share the work: mappings, profiles and digests as if nothing had happened', async () => {
  const seed = Date.now() % 1_000_000;
  const random = randomFrom(seed);
  const [collector, ...targets] = await Promise.all(
    ['collector', 'identity-stitcher', 'identity-stitcher', 'profile-projector'].map(start),
  );
  const rows = identityRows().slice(0, EVENTS);
  let flowing = true;
  let killed = 0;
  // On a slow machine it waits for the kills: each meets a part of it, and the last part comes after all of them.
  const sending = send(collector as Instance, rows, (sent) => sent < (killed + 1) / (KILLS + 1)).finally(() => {
    flowing = false;
  });
  sending.catch(() => undefined);
  while (killed < KILLS && flowing) {
    await sleep(500 + random() * 1_500);
    if (killed === KILLS / 2) targets.push(await start('identity-stitcher'));
    // The first ones are always among those that are shot at, so that both kinds are.
    const victim = killed < 3 ? killed : Math.floor(random() * targets.length);
    await targets[victim]?.killAndReplace();
    killed++;
  }
  await sending;
  expect(killed, `kills while events flowed, seed ${seed}`).toBe(KILLS);

  const home = { ...installation, generation: 1 };
  const { prefix } = installation;
  const ledger = await followLedger(home, '');
  let standing: unknown;
  await until(
    'nothing is on its way',
    async () => {
      const books = await ledger.read();
      // Nobody plans deliveries here.
      const found = differences(books, { prefix, generation: 1, destinations: [] }).filter(
        (one) => !one.includes('planner'),
      );
      const { stitched } = outcomesOf(books, 'resolver', prefix + topics.eventsCollected.name);
      standing = { found, stitched };
      return found.length === 0 && stitched === rows.length;
    },
    240_000,
    () => ({ seed, standing }),
  );
  await ledger.stop();

  const hashing = hashingWith(readSecret({ secretFile: env.TRIBUTARY_SECRET_FILE as string, dataDirectory: '' }));
  const following = await followDefinitions(
    installation.kafka,
    installation.codecs,
    prefix,
    createLog('test', 'silent'),
    () => undefined,
  );
  await following.stop();
  const definitions = following.current();
  const recorded = (await readRecords(home, topics.eventsCollected)).map(({ partition, key, value }) => ({
    partition,
    key,
    value: value as EventCollected,
  }));
  expect(recorded.length).toBe(rows.length);
  const stitched = (await readRecords(home, topics.eventsStitched)).map(({ value }) => value?.message_id);
  expect(stitched.sort(), `stitched once each, seed ${seed}`).toEqual(rows.map(({ id }) => id).sort());

  const simulation = new Simulation({ hashing, partitions: 1, definitions });
  for (const { value } of recorded) simulation.collect(value);
  await simulation.drain();
  const mapped = new Map(
    (await readRecords(home, topics.identityMappings)).map(({ key, value }) => [key, value?.profile_id]),
  );
  const hashes = [...new Set(recorded.flatMap(({ value }) => value.identifiers.map(({ hash }) => hash)))].sort();
  expect(
    hashes.map((hash) => [hash, mapped.get(hash) ?? hashing.profileIdOf(hash)]),
    `mappings, seed ${seed}`,
  ).toEqual(hashes.map((hash) => [hash, simulation.profileOf(hash)]));

  const reference = await referenceFold(recorded, { hashing, generation: 1, definitions, now: Date.now() });
  expect(reference.moved, 'identifiers that left their default profile').toBeGreaterThan(100);
  const feed = feedOf(await readRecords(home, topics.profiles));
  expect(feed.broken, `versions on the feed, seed ${seed}`).toEqual([]);
  const contents = (profiles: typeof feed.profiles): string[] => [...profiles.values()].map(canonicalProfile).sort();
  expect(contents(feed.profiles), `profiles, seed ${seed}`).toEqual(contents(reference.profiles));
  expect([...feed.profiles.values()].map(digestOf).reduce(addDigests, 0n)).toBe(reference.digest);
}, 600_000);
