import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Definition, Delivery, IdentityChange, Profile } from '#schemas/generated/records.ts';
import { deadTopic, deliveryTopic, topics } from '#schemas/topics.ts';
import { aProfile } from '#shared/profiles/a-profile.fixture.ts';
import { TaskRunner } from '#shared/task/runner.ts';
import { compiled } from '../../../deploy/local/services.ts';
import { stitchedEvent } from '../../../services/activation/stitched-event.fixture.ts';
import { createProjector } from '../../../services/profile-projector/projector.ts';
import { addresses } from '../../support/addresses.ts';
import { freePorts } from '../../support/free-ports.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { accountingOf, readAll } from '../../support/read-all.ts';
import { until } from '../../support/until.ts';
import { openWarehouse } from '../../support/warehouse.ts';
import { type Received, startWebhookReceiver, type WebhookReceiver } from '../../support/webhook-receiver.ts';

const SECRET = 'shared-secret-of-the-test';
const main = new URL('../../../services/activation/main.ts', import.meta.url).pathname;

let installation: Installation;
let receiver: WebhookReceiver;
let activation: ChildProcess | undefined;
let output = '';

beforeEach(async () => {
  installation = await createInstallation(addresses());
  receiver = await startWebhookReceiver({ sharedSecret: SECRET });
  output = '';
  return async () => {
    await stop();
    await receiver.close();
    await installation.close();
  };
});

const newStateDirectory = (): string => mkdtempSync(join(tmpdir(), 'tributary-activation-'));

function start(dataDirectory: string, opsPort = 0): ChildProcess {
  const { brokers, registryUrl } = addresses();
  const child = spawn(process.execPath, [main], {
    env: {
      PATH: process.env.PATH,
      ...compiled,
      TRIBUTARY_KAFKA_BROKERS: brokers,
      TRIBUTARY_REGISTRY_URL: registryUrl,
      TRIBUTARY_PREFIX: installation.prefix,
      TRIBUTARY_DATA: dataDirectory,
      TRIBUTARY_OPS_PORT: String(opsPort),
      TRIBUTARY_WEBHOOK_PRIVATE_ADDRESSES: 'true',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout?.on('data', (chunk: Buffer) => {
    output += String(chunk);
    if (process.env.TRIBUTARY_TEST_LOG) process.stdout.write(chunk);
  });
  activation = child;
  return child;
}

async function stop(): Promise<number | null> {
  const child = activation;
  activation = undefined;
  if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
  child.kill('SIGTERM');
  await once(child, 'exit');
  return child.exitCode;
}

async function produce(
  topic: (typeof topics)['eventsStitched' | 'definitions' | 'profiles' | 'identityChanges'],
  records: [string, object][],
) {
  const codec = await installation.codecs.ofTopic(installation.prefix + topic.name, topic.value);
  // Idempotent: what is retried while a fresh topic finds its leaders would else be there twice.
  const producer = installation.kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  await producer.send({
    topic: installation.prefix + topic.name,
    messages: records.map(([key, value]) => ({ key, value: codec.encode(value as never) })),
  });
  await producer.disconnect();
}

const define = (name: string, changes: object = {}, version = 1) =>
  produce(topics.definitions, [
    [
      `destination/${name}`,
      {
        kind: 'destination',
        name,
        version,
        body: JSON.stringify({
          type: 'webhook',
          action: 'send',
          subscribe: 'type = "track" and event = "Order Completed"',
          settings: { sharedSecret: SECRET },
          mapping: { url: receiver.url },
          retry: { attempts: 4, initialMs: 20, maxMs: 50 },
          ...changes,
        }),
        actor: 'test',
        reason: '',
        at: 0,
        deleted: false,
      } satisfies Definition,
    ],
  ]);

const identifier = (n: number) => ({ type: 'user_id', value: `u${n}`, hash: String(n).padStart(32, '0') });

const profileOf = (id: string, changes: Partial<Profile>) => aProfile(id, 1, { changed: [], ...changes });

/** Events of twenty people, each with a profile: every second an order. */
const happen = (from: number, count: number) =>
  produce(
    topics.eventsStitched,
    Array.from({ length: count }, (_, i) => {
      const n = from + i;
      const name = n % 2 === 0 ? 'Order Completed' : 'Product Viewed';
      const event = stitchedEvent({
        message_id: `m${n}`,
        profile_id: `p${n % 20}`,
        identifiers: [identifier(n % 20)],
        event: name,
        payload: { type: 'track', event: name, properties: { n } },
      });
      return [event.profile_id, event];
    }),
  );

async function deliveries(): Promise<Delivery[]> {
  const records = await readAll(installation, topics.deliveries);
  const places = new Set(records.map(({ partition, offset }) => `${partition}/${offset}`));
  expect(places.size, 'places in the log').toBe(records.length);
  return records.map(({ value }) => value as Delivery);
}

async function settledAs(destination: string, count: number): Promise<Record<string, number>> {
  let outcomes: Record<string, number> = {};
  await until(
    `${count} deliveries of ${destination}`,
    async () => {
      const mine = (await deliveries()).filter((delivery) => delivery.destination === destination);
      outcomes = {};
      for (const { outcome } of mine) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      return mine.length >= count;
    },
    undefined,
    () => outcomes,
  );
  const keys = (await deliveries()).filter((one) => one.destination === destination).map((one) => one.idempotency_key);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys).toHaveLength(count);
  return outcomes;
}

describe('every request ends as exactly one delivery', () => {
  test('and the secret is in no log line', async () => {
    await define('shop');
    await happen(0, 400);
    receiver.answerWith(({ key, earlier }) => {
      const kind = Number.parseInt(key.slice(0, 2), 16) % 8;
      if (kind === 0) return { status: 400, body: `no, ${SECRET}` };
      if (kind === 1 && earlier < 2) return { status: 500 };
      if (kind === 2 && earlier < 1) return { status: 200, instead: 'reset' };
      if (kind === 3) return { status: 503 };
      return { status: 200, body: 'ok' };
    });
    start(newStateDirectory());
    const { delivered, dead } = await settledAs('shop', 200);
    const counted = async (): Promise<Record<string, number>> => {
      const counts: Record<string, number> = {};
      for (const { task, outcomes } of await accountingOf(installation))
        for (const [outcome, n] of Object.entries(outcomes))
          counts[`${task} ${outcome}`] = (counts[`${task} ${outcome}`] ?? 0) + n;
      return counts;
    };
    const expected = {
      'planner planned': 200,
      'planner filtered': 200,
      'sender-shop delivered': delivered,
      'sender-shop dead': dead,
    };
    // What is filtered has no delivery to wait for.
    await expect.poll(counted).toEqual(expected);
    const buried = await readAll(installation, deadTopic('shop'));
    expect(buried).toHaveLength(dead ?? 0);
    expect(dead).toBeGreaterThan(0);
    expect(receiver.accepted.size).toBe(delivered);
    expect(await stop()).toBe(0);
    expect(output).toContain('partition taken over');
    expect(output).not.toContain(SECRET);
    for (const { value } of buried) expect(value?.message).not.toContain(SECRET);
    expect(await counted()).toEqual(expected);
  });

  test('when the process is killed again and again: in the ledger once, outside at least once', async () => {
    await define('shop');
    const directory = newStateDirectory();
    receiver.answerWith(() => ({ status: 200, afterMs: 2 }));
    for (let round = 0; round < 3; round++) {
      const child = start(directory);
      await happen(round * 600, 600);
      const before = receiver.requests.length;
      await until('some are sent', () => receiver.requests.length > before + 40);
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    start(directory);
    expect(await settledAs('shop', 900)).toEqual({ delivered: 900 });
    expect(receiver.accepted.size).toBe(900);
    // Order per profile: the first arrival of each request, in the order of the events.
    for (let p = 0; p < 20; p += 2) {
      const first = receiver.requests
        .filter(({ earlier }) => earlier === 0)
        .map(({ body }) => JSON.parse(body).properties.n as number);
      const mine = first.filter((n) => n % 20 === p);
      expect(mine).toEqual(mine.toSorted((a, b) => a - b));
    }
  });

  test('when it is stopped during a back-off that would last for minutes', async () => {
    await define('shop', { retry: { attempts: 8, initialMs: 600_000, maxMs: 600_000 } });
    await happen(0, 10);
    receiver.answerWith(() => ({ status: 503 }));
    const directory = newStateDirectory();
    start(directory);
    await until('an attempt was made', () => receiver.requests.length > 0);
    expect(await stop()).toBe(0);
    expect(await deliveries()).toEqual([]);
    receiver.answerWith(() => ({ status: 200 }));
    start(directory);
    expect(await settledAs('shop', 5)).toEqual({ delivered: 5 });
  });
});

describe('consent', () => {
  test('is that of the person who holds the identifier by now, not of whoever took its former profile', async () => {
    const said = (state: string) => ({ purpose: 'ads', state, time: 1, source: 'web', policy_version: null });
    const profile = (id: string, changes: object): [string, object] => [id, profileOf(id, changes)];
    await produce(topics.profiles, [
      profile('p0', { consents: [said('granted')], identifiers: [identifier(0), identifier(4)] }),
      profile('p2', { consents: [said('denied')], identifiers: [identifier(2)] }),
      profile('p4', { gone: true, into: 'p2' }),
    ]);
    await define('shop', { purposes: ['ads'] });
    await happen(0, 8);
    start(newStateDirectory());
    expect(await settledAs('shop', 4)).toEqual({ delivered: 2, suppressed: 2 });
    const reasons = (await deliveries()).map(({ profile_id, reason }) => [profile_id, reason]);
    expect(Object.fromEntries(reasons)).toEqual({
      p0: null,
      p2: 'consent_denied:ads',
      p4: null,
      p6: 'consent_missing:ads',
    });
    expect(receiver.accepted.size).toBe(2);
  });
});

describe('destinations', () => {
  test('that hang delay nobody else, and a new one begins with what comes then', async () => {
    await define('hangs', { mapping: { url: `${receiver.url}hang` }, settings: {} });
    const stuck = await startWebhookReceiver();
    stuck.answerWith(() => ({ status: 200, instead: 'silence' }));
    await define('hangs', { mapping: { url: stuck.url } }, 2);
    await define('shop');
    start(newStateDirectory());
    await happen(0, 100);
    expect(await settledAs('shop', 50)).toEqual({ delivered: 50 });
    expect(stuck.accepted.size).toBe(0);

    await define('late');
    await until('the new destination has a topic', async () =>
      (await installation.admin.listTopics()).includes(`${installation.prefix}${deliveryTopic('late').name}`),
    );
    await until('it is planned for', () => /"late"[^\n]*planning for these/.test(output));
    await happen(100, 100);
    expect(await settledAs('late', 50)).toEqual({ delivered: 50 });
    expect(await settledAs('shop', 100)).toEqual({ delivered: 100 });
    const late = (await deliveries()).filter(({ destination }) => destination === 'late');
    expect(late.every(({ message_id }) => Number(message_id.slice(1)) >= 100)).toBe(true);
    await stop();
    await stuck.close();
  });
});

describe('a profile in quarantine', () => {
  const [GUARDED, FREE] = ['11111111-1111-5111-8111-111111111111', '22222222-2222-5222-8222-222222222222'] as const;
  const place = { [GUARDED]: identifier(1), [FREE]: identifier(2) };

  const order = (profile: typeof GUARDED | typeof FREE, ...numbers: number[]) =>
    produce(
      topics.eventsStitched,
      numbers.map((n) => [
        profile,
        stitchedEvent({
          message_id: `m${n}`,
          profile_id: profile,
          identifiers: [place[profile]],
          payload: { type: 'track', event: 'Order Completed', properties: { n } },
        }),
      ]),
    );
  /** What the linker says. */
  const decide = (kind: 'quarantined' | 'released') =>
    produce(topics.identityChanges, [
      [
        GUARDED,
        {
          kind,
          profile_id: GUARDED,
          identifier: place[GUARDED],
          to_profile_id: null,
          version: kind === 'released' ? 9 : 5,
          other: null,
          reason: 'too_large',
          claim_ids: [],
          decided_at: Date.parse('2026-03-01T12:30:00Z'),
          definitions: [],
          generation: 1,
        } satisfies IdentityChange,
      ],
    ]);

  test('is sent nothing, also after the disk is lost; once released, all that waited, in order', async () => {
    const warehouse = await openWarehouse(installation);
    const projector = new TaskRunner(createProjector({ generation: 1 }), installation.host());
    const projecting = projector.run();
    const [port = 0] = await freePorts(1);
    const gauges = async (): Promise<(number | undefined)[]> => {
      const text = await fetch(`http://127.0.0.1:${port}/metrics`).then(
        (response) => response.text(),
        () => '',
      );
      return ['quarantined_profiles', 'held_requests'].map((name) => {
        const values = [...text.matchAll(new RegExp(`^tributary_activation_${name}\\{.* (\\d+)$`, 'gm'))];
        return values.length < 4 ? undefined : values.reduce((sum, [, value]) => sum + Number(value), 0);
      });
    };
    const gaugesAre = async (...wanted: number[]): Promise<void> => {
      let last: unknown;
      await until(
        `gauges ${wanted}`,
        async () => {
          last = await gauges();
          return String(last) === String(wanted);
        },
        undefined,
        () => last,
      );
    };
    const directory = newStateDirectory();
    const passwordFile = join(directory, 'clickhouse-password');
    writeFileSync(passwordFile, addresses().clickhousePassword);
    const tributary = (command: string): Promise<string> =>
      new Promise((resolve) => {
        const { brokers, registryUrl, clickhouseUrl } = addresses();
        const env = {
          PATH: process.env.PATH,
          TRIBUTARY_KAFKA_BROKERS: brokers,
          TRIBUTARY_REGISTRY_URL: registryUrl,
          TRIBUTARY_CLICKHOUSE_URL: clickhouseUrl,
          TRIBUTARY_CLICKHOUSE_PASSWORD_FILE: passwordFile,
          TRIBUTARY_CLICKHOUSE_DATABASE: warehouse.database,
          TRIBUTARY_PREFIX: installation.prefix,
          TRIBUTARY_DATA: directory,
        };
        const tool = new URL('../../../bin/tributary.mjs', import.meta.url).pathname;
        execFile(process.execPath, [tool, command], { env }, (_, out, err) => resolve(out + err));
      });
    const flagsAre = (...wanted: string[]) =>
      until(`flags ${wanted}`, async () => {
        const rows = await warehouse.rows<{ flags: string[] }>(
          `SELECT flags FROM {db}.profiles WHERE profile_id = '${GUARDED}'`,
        );
        return JSON.stringify(rows) === JSON.stringify([{ flags: wanted }]);
      });

    await define('shop');
    const child = start(directory, port);
    await order(GUARDED, 0, 1);
    await order(FREE, 100, 101);
    expect(await settledAs('shop', 4)).toEqual({ delivered: 4 });
    await decide('quarantined');
    await gaugesAre(1, 0);
    await order(GUARDED, ...Array.from({ length: 30 }, (_, n) => n + 2));
    await order(FREE, 102);
    expect(await settledAs('shop', 5)).toEqual({ delivered: 5 });
    await gaugesAre(1, 30);

    child.kill('SIGKILL');
    await once(child, 'exit');
    start(newStateDirectory(), port);
    await gaugesAre(1, 30);
    await order(FREE, 103);
    expect(await settledAs('shop', 6)).toEqual({ delivered: 6 });
    expect(receiver.accepted.size).toBe(6);
    await flagsAre('quarantined');
    await until('the tool has the books', async () => /held, in quarantine +30\n/.test(await tributary('status')));
    // Who is in quarantine is read from ClickHouse, which takes in a change some seconds after the services.
    const told = `· 1 profiles are in quarantine; 30 deliveries wait for them:\n    ${GUARDED}: too large, since 2026-03-01 12:30 UTC\n`;
    await until('doctor names the profile', async () => (await tributary('doctor')).includes(told));

    await decide('released');
    expect(await settledAs('shop', 36)).toEqual({ delivered: 36 });
    await gaugesAre(0, 0);
    await order(GUARDED, 32);
    expect(await settledAs('shop', 37)).toEqual({ delivered: 37 });
    const sent = receiver.requests.filter(({ earlier }) => earlier === 0);
    const numbers = sent.map(({ body }) => JSON.parse(body).properties.n as number).filter((n) => n < 100);
    expect(numbers).toEqual(Array.from({ length: 33 }, (_, n) => n));
    await flagsAre();
    await until('the tool knows', async () => {
      const said = await tributary('doctor');
      return said.includes('profiles, digest ') && !said.includes('quarantine');
    });

    await stop();
    await projector.stop();
    await projecting;
    await warehouse.close();
  }, 240_000);
});

describe('a profile webhook', () => {
  const KEY = Buffer.alloc(32, 5);
  const WEBHOOK_SECRET = `whsec_${KEY.toString('base64')}`;
  const PEOPLE = 20;

  const listen = (name: string, url: string, version = 1, changes: object = {}) =>
    produce(topics.definitions, [
      [
        `profile_webhook/${name}`,
        {
          kind: 'profile_webhook',
          name,
          version,
          body: JSON.stringify({
            url,
            secrets: [WEBHOOK_SECRET],
            begin: 'start',
            retry: { attempts: 3, initialMs: 20, maxMs: 50 },
            ...changes,
          }),
          actor: 'test',
          reason: '',
          at: 0,
          deleted: false,
        } satisfies Definition,
      ],
    ]);
  /** Versions of everybody; every fifth says that only `events` has changed. */
  const change = (from: number, to: number) =>
    produce(
      topics.profiles,
      Array.from({ length: to - from }, (_, i) =>
        Array.from({ length: PEOPLE }, (_, n): [string, object] => {
          const version = from + i;
          const changed = version % 5 === 0 ? ['events'] : ['traits'];
          return [`p${n}`, profileOf(`p${n}`, { version, changed, flags: n === 1 ? ['quarantined'] : [] })];
        }),
      ).flat(),
    );
  const isSigned = ({ headers, body }: Received): boolean => {
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    return headers['webhook-signature'] === `v1,${createHmac('sha256', KEY).update(signed).digest('base64')}`;
  };
  const versionOf = ({ body }: Received): [id: string, version: number] => {
    const { data } = JSON.parse(body) as { data: { profile_id: string; version: number } };
    return [data.profile_id, data.version];
  };
  /** Of each profile the newest version that was answered with 2xx. */
  const newest = (one: WebhookReceiver): Map<string, number> => {
    const versions = new Map<string, number>();
    for (const key of one.accepted.keys()) {
      const [, id = '', version] = /^(.*)\.(\d+)$/.exec(key) ?? [];
      versions.set(id, Math.max(versions.get(id) ?? 0, Number(version)));
    }
    return versions;
  };

  test('is told of everybody, signed and in order, while its receiver fails and the process is killed', async () => {
    const stuck = await startWebhookReceiver();
    stuck.answerWith(() => ({ status: 200, instead: 'silence' }));
    const crm = await startWebhookReceiver();
    let forged = 0;
    crm.answerWith((request) => {
      if (!isSigned(request)) forged++;
      const [id, version] = versionOf(request);
      if (id === 'p3') return { status: 400 };
      if (version % 3 === 0 && request.earlier < 1) return { status: 500 };
      if (version % 7 === 0 && request.earlier < 1) return { status: 200, instead: 'reset' };
      return { status: 200, afterMs: 2 };
    });
    await listen('crm', crm.url, 1, { filter: { changed: ['traits'] } });
    await listen('stuck', stuck.url);
    const directory = newStateDirectory();
    await change(1, 7);
    const child = start(directory);
    await until('some are told', () => crm.requests.length > 30);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await change(7, 12);
    start(directory);
    await change(12, 15);
    await produce(topics.profiles, [
      ['p0', profileOf('p0', { version: 15, gone: true, into: 'p2', changed: ['gone'] })],
    ]);

    const expected = Object.fromEntries(
      Array.from({ length: PEOPLE }, (_, n) => [`p${n}`, n === 0 ? 15 : 14]).filter(
        ([id]) => id !== 'p1' && id !== 'p3',
      ),
    );
    await until(
      'the newest of everybody',
      () => crm.accepted.size > 0 && isDeepStrictEqual(Object.fromEntries(newest(crm)), expected),
      undefined,
      () => Object.fromEntries(newest(crm)),
    );
    const books = async () => {
      const outcomes: Record<string, number> = {};
      let taken = 0;
      for (const row of await accountingOf(installation)) {
        if (row.task !== 'webhook-crm' || row.topic === '') continue;
        taken += row.taken;
        for (const [name, n] of Object.entries(row.outcomes)) outcomes[name] = (outcomes[name] ?? 0) + n;
      }
      return { taken, outcomes };
    };
    await until('all is taken', async () => (await books()).taken >= 14 * PEOPLE + 1);
    await until('the other receiver was asked', () => stuck.requests.length > 0);
    expect(forged).toBe(0);
    // In order: a version comes for the first time only after those that are older.
    const first = crm.requests.filter(({ earlier }) => earlier === 0).map(versionOf);
    for (let n = 0; n < PEOPLE; n++) {
      const versions = first.filter(([id]) => id === `p${n}`).map(([, version]) => version);
      expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    }
    expect(await stop()).toBe(0);
    expect(stuck.accepted.size).toBe(0);

    const ledger = (await deliveries()).filter(({ destination }) => destination === 'crm');
    expect(new Set(ledger.map((one) => one.idempotency_key)).size).toBe(ledger.length);
    const counts = Map.groupBy(ledger, ({ outcome }) => outcome);
    for (const one of counts.get('suppressed') ?? [])
      expect(one).toMatchObject({ profile_id: 'p1', reason: 'quarantined', attempts: 0, fields: [] });
    for (const one of counts.get('dead') ?? []) expect(one).toMatchObject({ profile_id: 'p3', reason: 'http_400' });
    for (const { message_id } of counts.get('delivered') ?? []) expect(crm.accepted.has(message_id)).toBe(true);
    const buried = await readAll(installation, deadTopic('crm'));
    expect(buried).toHaveLength(counts.get('dead')?.length ?? 0);
    expect(buried.length).toBeGreaterThan(0);

    const { taken, outcomes } = await books();
    expect(taken).toBe(14 * PEOPLE + 1);
    expect(Object.values(outcomes).reduce((sum, n) => sum + n, 0)).toBe(taken);
    for (const name of ['delivered', 'suppressed', 'dead'])
      expect(outcomes[name] ?? 0).toBe(counts.get(name as Delivery['outcome'])?.length ?? 0);
    expect(output).toContain('following the feed for this webhook');
    expect(output).not.toContain(WEBHOOK_SECRET.slice(6));
    await Promise.all([crm.close(), stuck.close()]);
  });

  test('stands still when its receiver wants no more, and goes on where it stood once it is changed', async () => {
    const [former, next] = [await startWebhookReceiver(), await startWebhookReceiver()];
    former.answerWith(() => ({ status: 410 }));
    await listen('crm', former.url);
    start(newStateDirectory());
    await change(2, 3);
    await until('it is told so', () => output.includes('the receiver wants no more'));
    await change(3, 4);
    await listen('crm', next.url, 2, { enabled: false });
    await listen('crm', next.url, 3);
    const people = Array.from({ length: PEOPLE }, (_, n) => [`p${n}`, 3]).filter(([id]) => id !== 'p1');
    await until(
      'all are told to the next',
      () => isDeepStrictEqual(Object.fromEntries(newest(next)), Object.fromEntries(people)),
      undefined,
      () => Object.fromEntries(newest(next)),
    );
    expect(await stop()).toBe(0);
    expect((await deliveries()).filter(({ status }) => status === 410)).toEqual([]);
    await Promise.all([former.close(), next.close()]);
  });
});
