import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Profile } from '#schemas/generated/records.ts';
import { quietTopics, type Topic, topics } from '#schemas/topics.ts';
import type { Balance } from '#shared/accounting/balance.ts';
import { type RunningPlatform, startPlatform } from '../support/platform.ts';
import { River } from '../support/river.ts';
import { feedOf } from '../support/river-checks.ts';
import { keepSendingIdentities } from '../support/sent-identities.ts';
import { toolOf } from '../support/tool-of.ts';
import { until } from '../support/until.ts';
import { waveOf } from '../support/wave.ts';

let platform: RunningPlatform;
let river: River;

beforeAll(async () => {
  const services = ['provision', 'collector', 'identity-stitcher', 'profile-projector', 'activation', 'console'];
  platform = await startPlatform({ services });
  river = await River.open(platform.platform);
});
afterAll(async () => {
  await river?.close();
  await platform?.stop();
});

const tributary = (...args: string[]) => toolOf(platform, ...args);

/** Number of events of each profile on a feed. */
async function eventsOn(topic: Topic & { readonly value: 'Profile' }): Promise<Map<string, number>> {
  const { profiles, broken } = feedOf(await river.records(topic));
  expect(broken, `versions on ${topic.name}`).toEqual([]);
  return new Map([...profiles.values()].map(({ profile_id, events }) => [profile_id, events]));
}

/** Asks SQL for all of these profiles at once, and the read API for one after the other, until it is told to end. */
function watching(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>) {
  const ids = [...before.keys()];
  const token = readFileSync(join(platform.dataDir, 'api-token'), 'utf8').trim();
  const api = `http://127.0.0.1:${platform.platform.settings.apiPort}`;
  let watches = true;
  const seen = { sql: [] as string[], api: [] as string[] };
  const sideOf = (id: string, events: number | undefined): string =>
    events === before.get(id) ? 'before' : events === after.get(id) ? 'after' : `${id}: ${events} events`;
  const note = (list: string[], side: string): void => void (list.at(-1) !== side && list.push(side));
  const sql = async (): Promise<void> => {
    while (watches) {
      const result = await river.clickhouse.query({
        query: 'SELECT toString(profile_id) AS id, events FROM profiles WHERE profile_id IN {ids:Array(UUID)}',
        query_params: { ids },
        format: 'JSONEachRow',
      });
      const rows = await result.json<{ id: string; events: string }>();
      const sides = new Set(rows.map(({ id, events }) => sideOf(id, Number(events))));
      note(seen.sql, rows.length === ids.length ? [...sides].join(' and ') : `${rows.length} profiles`);
      await sleep(5);
    }
  };
  const reading = async (): Promise<void> => {
    for (let n = 0; watches; n++) {
      const id = ids[n % ids.length] as string;
      const answer = await fetch(`${api}/v1/profiles/profile_id:${id}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      note(seen.api, sideOf(id, ((await answer.json()) as { events?: number }).events));
      await sleep(10);
    }
  };
  const both = Promise.all([sql(), reading()]);
  both.catch(() => undefined);
  return {
    seen,
    async end(): Promise<void> {
      const areOver = () => [seen.sql, seen.api].every((sides) => sides.at(-1) === 'after');
      // Who has not gone over by then, or has seen something else, is told of by what was seen.
      await until('both have gone over', areOver).catch(() => undefined);
      // Nobody goes back.
      await sleep(1_000);
      watches = false;
      await both;
    },
  };
}

type Standing = { readonly books: Pick<Balance, 'differences'> };

/** But for what the log of events lacks. */
async function untilBooksBalance(): Promise<void> {
  let differences: readonly string[] = [];
  const isStill = async (): Promise<boolean> => {
    // It fails while a service that is busy does not answer.
    const answer = (await tributary('status').catch(() => undefined)) as Standing | undefined;
    differences = (answer?.books.differences ?? ['no answer']).filter(
      (one) => !/^stitched: .*, events in ClickHouse: /.test(one),
    );
    return differences.length === 0 || sleep(1_000, false);
  };
  await until('the books balance', isStill, 120_000, () => differences.join('; '));
}

test('another generation becomes live under load, and the one before again: no reader sees a mixture, no subscriber misses a version or has one twice', async () => {
  await river.send(waveOf(0));
  await river.quiet();
  const old = await eventsOn(topics.profiles);
  // So that both differ: of some orders the log knows nothing.
  await river.clickhouse.command({
    query: `ALTER TABLE events_log DELETE WHERE event = 'Order Completed' AND cityHash64(message_id) % 8 = 0`,
    clickhouse_settings: { mutations_sync: '2' },
  });
  await tributary('replay', '--until-complete');
  const rebuilt = await eventsOn(quietTopics(2).profiles);
  // Those that only one of both has are no question of how many events.
  const ids = [...old.keys()].filter((id) => rebuilt.has(id) && rebuilt.get(id) !== old.get(id));
  expect(ids.length).toBeGreaterThan(50);
  const of = (from: ReadonlyMap<string, number>) => new Map(ids.map((id) => [id, from.get(id) as number]));

  for (const [to, edition, before, after] of [
    ['2', 2, old, rebuilt],
    ['1', 3, rebuilt, old],
  ] as const) {
    const endFlow = keepSendingIdentities(platform.platform.settings.collectorPort, edition * 1_000);
    const watch = watching(of(before), of(after));
    expect(await tributary('replay', 'switch', to, '--yes')).toMatchObject({ edition });
    await watch.end();
    expect(watch.seen, `generation ${to}`).toEqual({ sql: ['before', 'after'], api: ['before', 'after'] });
    await endFlow();
    await untilBooksBalance();
  }

  const versions = await river.records(topics.profiles);
  expect(feedOf(versions).broken, 'versions on the feed').toEqual([]);
  const replayed = (edition: number): string[] =>
    versions.flatMap(({ key, value }) => (value?.edition === edition && value.why.includes('replay') ? [key] : []));
  const differing = [...old.keys()].filter((id) => rebuilt.get(id) !== old.get(id)).sort();
  for (const edition of [2, 3]) {
    // Nobody is told of anew who is the same.
    const told = replayed(edition);
    expect(told.length, 'each once').toBe(new Set(told).size);
    expect(told.filter((id) => old.has(id)).sort(), `edition ${edition}`).toEqual(differing);
  }
  const end = feedOf(versions).profiles as ReadonlyMap<string, Profile>;
  expect(ids.map((id) => end.get(id)?.events)).toEqual(ids.map((id) => old.get(id)));
}, 600_000);
