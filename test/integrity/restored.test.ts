import { execFile } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Profile } from '#schemas/generated/records.ts';
import { quietTopics, topics } from '#schemas/topics.ts';
import { canonicalProfile } from '#shared/profiles/digest.ts';
import { outcomesOf, sum } from '../../deploy/local/sample/books.ts';
import { sendOrders } from '../../deploy/local/sample/send-orders.ts';
import { connectTo, untilStill } from '../support/books-run.ts';
import { River } from '../support/river.ts';
import { expectAsWithoutTrouble, feedOf } from '../support/river-checks.ts';
import { Supervised } from '../support/supervised.ts';
import { until } from '../support/until.ts';
import { waveOf } from '../support/wave.ts';

const root = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);
const AGAIN = 200;

let supervised: Supervised;
let river: River;

beforeAll(async () => {
  supervised = await Supervised.create();
  await supervised.start();
  river = await River.open(supervised.platform);
  await river.send(waveOf(0));
  await expectAsWithoutTrouble(river);
}, 600_000);
afterAll(async () => {
  await river?.close();
  await supervised?.remove();
});

const folder = (name: string): string => join(supervised.directory, name);
const remove = (name: string): void => rmSync(folder(name), { recursive: true });

/** A command of docs/restore.md. @returns what it prints @throws with that, where it ends with another exit code than 0 */
async function node(...args: string[]): Promise<string> {
  const { settings } = supervised.platform;
  const env = {
    ...process.env,
    ...supervised.platform.env(),
    TRIBUTARY_STITCHER_OPS_PORT: String(settings.stitcherOpsPort),
    TRIBUTARY_PROJECTOR_OPS_PORT: String(settings.projectorOpsPort),
    TRIBUTARY_ACTIVATION_OPS_PORT: String(settings.activationOpsPort),
  };
  const running = run(process.execPath, args, { cwd: root, env });
  const { stdout } = await running.catch((error: Error & { readonly stdout: string }) => {
    throw new Error(`${error.message}\n${error.stdout}`);
  });
  return stdout;
}
const tributary = (...args: string[]): Promise<string> => node('bin/tributary.mjs', ...args);

async function profilesOf(one: River): Promise<Profile[]> {
  const feed = feedOf(await one.records(topics.profiles));
  expect(feed.broken, 'versions on the feed').toEqual([]);
  return [...feed.profiles.values()];
}

/** Ids of profiles that have gone into others. */
const formerIdsOf = async (one: River): Promise<string[]> => [
  ...new Set((await one.records(topics.profiles)).flatMap(({ key, value }) => (value?.into ? [key] : []))),
];

/** The profile that the read API answers with for each of these ids. */
async function foundBy(profileIds: readonly string[]): Promise<unknown[]> {
  const { settings, apiToken } = supervised.platform;
  const url = `http://127.0.0.1:${settings.apiPort}/v1/profiles/profile_id:`;
  const found: unknown[] = [];
  for (const id of profileIds) {
    const response = await fetch(url + id, { headers: { authorization: `Bearer ${apiToken}` } });
    found.push(((await response.json()) as { readonly profile_id?: string }).profile_id);
  }
  return found;
}

const contentsOf = async (one: River): Promise<string[]> => (await profilesOf(one)).map(canonicalProfile).sort();

describe('rebuilt from less, as docs/restore.md says', () => {
  test('the local state is gone', async () => {
    const before = await tributary('digest');
    await supervised.stop();
    cpSync(folder('clickhouse'), folder('backup'), { recursive: true });
    remove('state');
    await supervised.start();
    expect(await tributary('digest')).toBe(before);
  }, 400_000);

  test('ClickHouse is older than Kafka', async () => {
    await river.send(waveOf(1));
    await expectAsWithoutTrouble(river);
    await supervised.stop();
    remove('clickhouse');
    cpSync(folder('backup'), folder('clickhouse'), { recursive: true });
    await supervised.start();
    // What comes now it reads behind a hole.
    await river.send(waveOf(2));
    await node('deploy/restore/clickhouse.ts');
    await expectAsWithoutTrouble(river);
    // It ends with another code as long as a service is busy, or ClickHouse is behind.
    await expect.poll(() => tributary('doctor')).toContain('all is well');
  }, 400_000);

  test('the event topics have expired', async () => {
    await river.expire();
    await tributary('replay', '--until-complete');
    const rebuilt = new Map((await river.records(quietTopics(2).profiles)).map(({ key, value }) => [key, value]));
    const profiles = [...rebuilt.values()].filter((one) => one !== null && !one.gone) as Profile[];
    expect(profiles.map(canonicalProfile).sort()).toEqual(await contentsOf(river));
    await tributary('replay', 'drop', '2', '--yes');
  }, 400_000);

  test('Kafka is lost', async () => {
    const before = await contentsOf(river);
    const digest = await tributary('digest');
    const formerIds = await formerIdsOf(river);
    expect(formerIds.length).toBeGreaterThan(10);
    let successors: readonly unknown[] = [];
    await until('each leads to somebody', async () => {
      successors = await foundBy(formerIds);
      return successors.every(Boolean);
    });
    const stitched = river.stitched.size;
    await river.close();
    await supervised.stop();
    for (const name of ['kafka', 'registry', 'state']) remove(name);
    await expect(supervised.start(), 'without being told to').rejects.toThrow();
    await supervised.stop();
    await supervised.start({ TRIBUTARY_RESTORE_KAFKA: 'true', TRIBUTARY_REPLAY_HISTORY: 'clickhouse' });
    river = await River.open(supervised.platform);
    const isAsBefore = async (): Promise<boolean> => isDeepStrictEqual(await contentsOf(river), before);
    await until('all profiles are as they were', isAsBefore, 240_000);
    expect(await tributary('digest')).toBe(digest);
    const areFound = async (): Promise<boolean> => isDeepStrictEqual(await foundBy(formerIds), successors);
    await until('each is found by its former ids', areFound);

    // Half of these people are known from before. What is sent again by clients that were not answered counts once.
    const host = `http://127.0.0.1:${supervised.platform.settings.collectorPort}`;
    const orders = waveOf(0).orders.slice(0, AGAIN);
    await sendOrders(orders, { host, writeKey: 'local-server', onProgress: () => undefined });
    await river.send(waveOf(3));
    const books = await river.quiet();
    const { prefix } = river.installation;
    const { duplicate = 0 } = outcomesOf(books, 'resolver', prefix + topics.eventsCollected.name);
    expect(duplicate).toBeGreaterThanOrEqual(AGAIN);
    const events = sum((await profilesOf(river)).map((one) => one.events));
    expect(events).toBe(stitched + river.stitched.size);
    await until('ClickHouse has them all', async () => {
      const result = await river.clickhouse.query({
        query:
          'SELECT toUInt32((SELECT count() FROM events)) AS events, toUInt32((SELECT sum(events) FROM profiles)) AS folded',
        format: 'JSONEachRow',
      });
      const [found] = await result.json<{ events: number; folded: number }>();
      return found?.events === events && found.folded === events;
    });
    const connections = connectTo(supervised.platform);
    expect((await untilStill(connections)).differences).toEqual([]);
    await connections.close();
  }, 600_000);
});
