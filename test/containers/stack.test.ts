import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Composed, serviceOf } from '../support/composed.ts';
import { River } from '../support/river.ts';
import { expectAsWithoutTrouble } from '../support/river-checks.ts';
import { until } from '../support/until.ts';
import { waveOf } from '../support/wave.ts';

const EVENTS = 20_000;
const PER_REQUEST = 100;
const parts = ['kafka', 'registry', 'clickhouse'];
const services = ['collector', 'identity-stitcher', 'profile-projector', 'activation', 'console'];
const minutes = (count: number): number => count * 60_000;

let stack: Composed;
let river: River | undefined;
let wave = 0;
beforeAll(async () => {
  stack = await Composed.create();
  await stack.init();
  stack.with('deploy/docker/exposed.yml', 'test/containers/reaching-the-test.yml');
});
afterAll(async () => {
  await river?.close();
  await stack?.remove();
});

/** Sends a wave, and does something in the middle of it. */
async function underLoad(at: River, something: () => Promise<unknown>): Promise<void> {
  let done: Promise<unknown> = Promise.resolve();
  await at.send(waveOf(wave++), () => {
    done = something();
    // It is waited for below, perhaps later than it fails.
    done.catch(() => undefined);
  });
  await done;
}

/** @param others of the books, beside that they balance: then nothing is on its way, to ClickHouse neither */
async function untilBooksBalance(others: object = {}): Promise<void> {
  const balanced = { ...others, differences: [] };
  await expect.poll(() => stack.books(), { timeout: minutes(3), interval: 500 }).toMatchObject(balanced);
}

/** Of all that has come so far: with something on its way the next one would be another. */
async function settledDigest(): Promise<string> {
  await untilBooksBalance();
  return stack.tributary('digest');
}

// One installation from its first day to its last: each test goes on where the one before it stopped.
test('comes up from nothing', () => stack.up('--build'), minutes(8));

test(
  '20,000 events through the published port: the books balance, and profiles and SQL have them',
  async () => {
    await stack.applyLocalDefinitions();
    const collector = `http://127.0.0.1:${stack.platform.settings.collectorPort}/v1/batch`;
    const headers = { authorization: `Basic ${btoa('local-server:')}`, 'content-type': 'application/json' };
    const post = (body: string): Promise<Response> => fetch(collector, { method: 'POST', headers, body });
    // It hears of the source a moment after that was put in force. 400: the key is known, and that there is nothing to take.
    await until('the collector knows the source', async () => (await post('')).status === 400);
    const send = async (from: number): Promise<void> => {
      const batch = Array.from({ length: PER_REQUEST }, (_, i) => ({
        type: 'track',
        event: 'Counted',
        messageId: `count-${from + i}`,
        userId: `person-${(from + i) % 500}`,
      }));
      expect((await post(JSON.stringify({ batch }))).status).toBe(200);
    };
    const firsts = Array.from({ length: EVENTS / PER_REQUEST }, (_, i) => i * PER_REQUEST);
    await Promise.all(
      [0, 1, 2, 3].map(async (lane) => {
        for (const from of firsts.filter((_, i) => i % 4 === lane)) await send(from);
      }),
    );

    await untilBooksBalance({ accepted: EVENTS, stitched: EVENTS, folded: EVENTS, duplicates: 0 });
    const profile = async () => JSON.parse(await stack.tributary('profile', 'user_id:person-7', '--json'));
    const whole = { events: EVENTS / 500, identifiers: [{ type: 'user_id', value: 'person-7' }] };
    await expect.poll(profile, { timeout: minutes(2), interval: 500 }).toMatchObject(whole);
    const sql = 'SELECT count(), uniqExact(profile_id) FROM tributary.events';
    const ask = `wget -qO- --header "X-ClickHouse-Key: $(cat /run/secrets/clickhouse-password)" --post-data '${sql}' http://127.0.0.1:8123/`;
    await until('SQL has them', async () => {
      return (await stack.compose('exec', '-T', 'clickhouse', 'bash', '-c', ask)).trim() === `${EVENTS}\t500`;
    });
  },
  minutes(8),
);

test(
  'a replay in the container of the tool has the same content',
  async () => {
    const before = await settledDigest();
    await stack.tributary('replay', '--until-complete', '--reason', 'a test');
    expect(await stack.tributary('digest', '--generation', '2')).toBe(before);
    await stack.tributary('replay', 'drop', '2', '--yes');
  },
  minutes(8),
);

test(
  'another up changes nothing, and provisions once more',
  async () => {
    const before = await settledDigest();
    await stack.up();
    expect(await stack.compose('logs', 'provision')).toContain('topics: 0 made');
    expect(await settledDigest()).toBe(before);
  },
  minutes(8),
);

/** `npm test` has a limited time, and kills each service outside of containers as well; `npm run test:containers` kills all here. */
const isLong = process.env.TRIBUTARY_LONG_TESTS !== undefined;
const victims = isLong ? [...services, 'clickhouse', 'registry', 'kafka'] : ['identity-stitcher'];
test.each(victims)(
  'kill %s under load: the same content as without',
  async (victim) => {
    river ??= await River.open(stack.platform, 'test.host');
    await underLoad(river, () => stack.compose('kill', victim).then(() => stack.compose('up', '-d')));
    await expectAsWithoutTrouble(river);
    await stack.healthy();
  },
  minutes(10),
);

test(
  'a process that dies is started again without anybody’s help',
  async () => {
    const restarts = async () =>
      (await stack.containers()).find((one) => serviceOf(one) === 'identity-stitcher')?.RestartCount ?? 0;
    const before = await restarts();
    await stack.compose('exec', '-T', 'identity-stitcher', 'bash', '-c', 'kill -9 $(cat /proc/1/task/1/children)');
    await until('it was started again', async () => (await restarts()) > before);
    await stack.healthy();
  },
  minutes(8),
);

if (isLong)
  test(
    'three stitchers and two projectors under load, and then one again: the same content',
    async () => {
      const at = river as River;
      const both = ['identity-stitcher', 'profile-projector'];
      const scaled =
        (...counts: readonly number[]) =>
        () =>
          stack.compose('up', '-d', '--no-deps', ...both.map((name, i) => `--scale=${name}=${counts[i]}`), ...both);
      await underLoad(at, scaled(3, 2));
      await stack.healthy();
      expect((await stack.containers()).filter((one) => serviceOf(one) === 'identity-stitcher')).toHaveLength(3);
      const held = await stack.compose('exec', '-T', 'identity-stitcher', 'bash', '-c', 'ls /data');
      expect(held.split('\n').filter(Boolean)).toEqual(['1', '2', '3']);
      await expectAsWithoutTrouble(at);
      await underLoad(at, scaled(1, 1));
      await expectAsWithoutTrouble(at);
    },
    minutes(10),
  );

test(
  'down and up again keep everything; and without more files nothing is open that should not be',
  async () => {
    await river?.close();
    river = undefined;
    const before = await settledDigest();
    await stack.compose('down');
    stack.with();
    await stack.up();
    expect(await settledDigest()).toBe(before);

    const containers = await stack.containers();
    expect(containers.map(serviceOf).sort()).toEqual([...parts, ...services, 'provision'].sort());
    const published = containers.flatMap((container) =>
      Object.values(container.NetworkSettings.Ports).flatMap((bindings) =>
        (bindings ?? []).map(({ HostIp }) => `${serviceOf(container)} ${HostIp}`),
      ),
    );
    expect(published.sort()).toEqual(['collector 127.0.0.1', 'console 127.0.0.1']);
    for (const container of containers) {
      const name = serviceOf(container);
      expect(container.HostConfig.Memory, `${name}'s memory limit`).toBeGreaterThan(0);
      for (const secret of ['secret', 'api-token', 'clickhouse-password'] as const)
        expect(JSON.stringify(container), `${name} in docker inspect`).not.toContain(stack.secret(secret));
      if (parts.includes(name)) continue;
      expect(container.HostConfig, name).toMatchObject({ ReadonlyRootfs: true, CapDrop: ['ALL'] });
    }
    for (const service of services)
      expect((await stack.compose('exec', '-T', service, 'id', '-u')).trim(), `${service}'s user`).toBe('1000');
  },
  minutes(8),
);

test(
  'another version takes the place of the services, and finds everything',
  async () => {
    const before = await settledDigest();
    const images = async () =>
      (await stack.containers()).filter((one) => !parts.includes(serviceOf(one))).map(({ Image }) => Image);
    const [old] = await images();
    await stack.newVersion();
    await stack.compose('build');
    await stack.compose('run', '--rm', '--no-deps', 'provision');
    await stack.up();
    const now = await images();
    expect(new Set(now).size).toBe(1);
    expect(now).not.toContain(old);
    expect(await settledDigest()).toBe(before);
  },
  minutes(8),
);

if (isLong)
  test(
    'a back-up fills an empty installation with the same',
    async () => {
      const before = await settledDigest();
      const folder = mkdtempSync(join(tmpdir(), 'tributary-backup-'));
      try {
        await stack.run('sh', 'deploy/docker/backup.sh', folder);
        await expect(stack.run('sh', 'deploy/docker/restore.sh', folder)).rejects.toThrow('there is an installation');
        await stack.compose('down');
        await expect(stack.run('sh', 'deploy/docker/restore.sh', folder)).rejects.toThrow('is not empty');
        await stack.compose('down', '--volumes');
        expect(await stack.volumes()).toEqual([]);
        // As in another copy of the project: its own secrets and settings come out of the back-up, or stay and are in the way.
        await stack.forgetSecrets();
        await stack.init();
        await expect(stack.run('sh', 'deploy/docker/restore.sh', folder)).rejects.toThrow('is there and is not');
        await stack.forgetSecrets();
        await stack.run('sh', 'deploy/docker/restore.sh', folder);
        await stack.up();
        expect(await settledDigest()).toBe(before);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    minutes(10),
  );
