import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Profile } from '#schemas/generated/records.ts';
import { schemaOf } from '#schemas/load.ts';
import { topics } from '#schemas/topics.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { aProfile } from '#shared/profiles/a-profile.fixture.ts';
import { postWebhook } from '../../../services/activation/adapters/post-webhook.ts';
import { signWebhook } from '../../../services/activation/core/standard-webhook.ts';
import type { Told } from '../../../services/activation/webhook.ts';
import { jarsOf, pythonPackages } from '../../contract/sdk/sdk-packages.ts';
import { addresses } from '../../support/addresses.ts';
import { freePorts } from '../../support/free-ports.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { randomFrom } from '../../support/random.ts';
import { until } from '../../support/until.ts';

const SEED = 7;
const WRITERS = 3;
const PEOPLE = 30;
const page = readFileSync(new URL('../../../docs/subscribe.md', import.meta.url), 'utf8');
const fileOf = (name: string): string => fileURLToPath(new URL(`../../../docs/examples/${name}`, import.meta.url));
/** Events of a version that was aborted: no subscriber must say it. */
const ABORTED = 999_999;

const profile = (profile_id: string, version: number, changes: Partial<Profile> = {}): Profile =>
  aProfile(profile_id, version, { changed: [], updated_at: 1_700_000_000_000, ...changes });

/** The programs of the page, and how each is run. */
const subscribers = [
  { language: 'JavaScript', program: async () => [process.execPath, fileOf('subscribe.mjs')], env: {} },
  {
    language: 'Python',
    program: async () => ['python3', fileOf('subscribe.py')],
    env: { PYTHONPATH: () => pythonPackages(fileOf('requirements.txt')) },
  },
  {
    language: 'Java',
    program: async () => [
      'java',
      '-XX:TieredStopAtLevel=1',
      '-cp',
      await jarsOf(fileOf('pom.xml')),
      fileOf('Subscribe.java'),
    ],
    env: {},
  },
];

/** A subscriber at work: what it has said so far, over all its runs. */
interface AtWork {
  readonly language: string;
  readonly run: () => ChildProcess;
  said: string;
  child?: ChildProcess;
}

let installation: Installation;
const atWork: AtWork[] = [];
/** By language: why it cannot be run on this machine. */
const missing = new Map<string, string>();
/** What each must say of each profile, in this order. */
const expected = new Map<string, string[]>();
const linesOf = (said: string): string[] => said.trimEnd().split('\n');
const count = (): number => [...expected.values()].flat().length;

const expectLine = (id: string, line: string): void => void expected.set(id, [...(expected.get(id) ?? []), line]);
const told = ({ profile_id, version, events, why, gone, into }: Profile): string =>
  gone
    ? `${profile_id} version ${version}: gone into ${into}`
    : `${profile_id} version ${version}: ${events} events, because of ${why.join(', ')}`;

/** Runs them all, until each has said all that it must; then has them stop. */
async function following(meanwhile: () => Promise<void>): Promise<void> {
  const ends = atWork.map((one) => {
    const child = one.run();
    one.child = child;
    child.stdout?.on('data', (data) => {
      one.said += String(data);
    });
    return once(child, 'exit').then(([code, signal]) => ({ language: one.language, code, signal }));
  });
  try {
    const all = (): boolean =>
      atWork.every(({ said, child }) => linesOf(said).length >= count() || child?.exitCode !== null);
    const standing = () => atWork.map(({ language, said }) => [language, linesOf(said).length, count()]);
    await until('all is said', all, undefined, standing);
    await meanwhile();
    await until('all that came since is said', all, undefined, standing);
  } finally {
    for (const { child } of atWork) child?.kill('SIGTERM');
  }
  // The JVM ends with 143 when it was told to, whatever was done about it.
  for (const { language, code, signal } of await Promise.all(ends))
    expect({ language, code: code === 143 ? 0 : code, signal }).toEqual({ language, code: 0, signal: null });
}

beforeAll(async () => {
  installation = await createInstallation(addresses(), 2);
  for (const { language, program, env } of subscribers) {
    try {
      const [file, ...args] = (await program()) as [string, ...string[]];
      const own: Record<string, string> = {};
      for (const [name, value] of Object.entries(env)) own[name] = await value();
      const run = () =>
        spawn(file, [...args, `${installation.prefix}${language}`], {
          env: {
            ...process.env,
            ...own,
            TRIBUTARY_KAFKA_BROKERS: addresses().brokers,
            TRIBUTARY_REGISTRY_URL: addresses().registryUrl,
            TRIBUTARY_PREFIX: installation.prefix,
          },
          stdio: ['ignore', 'pipe', 'inherit'],
        });
      atWork.push({ language, run, said: '' });
    } catch (error) {
      if (!(error instanceof Error && / is missing/.test(error.message))) throw error;
      missing.set(language, error.message);
    }
  }
  await feed();
});
afterAll(() => installation?.close());

/** Tells of some hundred versions, in transactions of several writers that overlap, some of which are aborted. */
async function feed(): Promise<void> {
  const topic = installation.prefix + topics.profiles.name;
  const subject = `${topic}-value`;
  const registry = new SchemaRegistry({ host: addresses().registryUrl });
  const today = schemaOf('Profile') as { readonly fields: { readonly name: string }[] };
  const register = (schema: object) =>
    registry.register({ type: SchemaType.AVRO, schema: JSON.stringify(schema) }, { subject });
  const old = await register({ ...today, fields: today.fields.filter(({ name }) => name !== 'into') });
  const codec = await installation.codecs.ofTopic(topic, 'Profile');
  const producers = Array.from({ length: WRITERS }, (_, n) =>
    installation.kafka.producer({
      transactionalId: `${installation.prefix}writer-${n}`,
      idempotent: true,
      maxInFlightRequests: 1,
    }),
  );
  await Promise.all(producers.map((producer) => producer.connect()));
  const [writer] = producers as [(typeof producers)[0]];
  const write = async (...records: readonly (readonly [key: string, value: Buffer | Profile | null])[]) => {
    const transaction = await writer.transaction();
    const messages = records.map(([key, value]) => ({
      key,
      value: value === null || Buffer.isBuffer(value) ? value : codec.encode(value),
    }));
    await transaction.send({ topic, messages });
    await transaction.commit();
  };

  const random = randomFrom(SEED);
  const versions = new Map<string, number>();
  const round = async (): Promise<void> => {
    const open = await Promise.all(
      producers.map(async (producer, n) => ({
        n,
        transaction: await producer.transaction(),
        aborts: random() < 0.4,
        wrote: new Map<string, number>(),
      })),
    );
    for (let turn = 0; turn < 2; turn++)
      for (const { n, transaction, aborts, wrote } of open) {
        const messages = [];
        for (let person = n; person < PEOPLE; person += WRITERS) {
          if (random() < 0.4) continue;
          const id = `person-${person}`;
          const version = (wrote.get(id) ?? versions.get(id) ?? 0) + 1;
          wrote.set(id, version);
          const value = profile(id, version, aborts ? { events: ABORTED } : {});
          messages.push({ key: id, value: codec.encode(value) });
          if (!aborts) expectLine(id, told(value));
        }
        await transaction.send({ topic, messages });
      }
    // Whoever began last ends first, so that the broker lists them the other way round.
    for (const { transaction, aborts, wrote } of open.reverse()) {
      if (aborts) await transaction.abort();
      else await transaction.commit();
      if (!aborts) for (const [id, version] of wrote) versions.set(id, version);
    }
  };

  // Written before the schema had a field that it has today.
  const early = profile('early', 1);
  await write(['early', await registry.encode(old.id, early)]);
  expectLine('early', told(early));
  for (let n = 0; n < 8; n++) await round();
  const [erased, leaving, left] = [
    profile('erased', 1),
    profile('gone', 1),
    profile('gone', 2, { events: 0, gone: true, into: 'erased', why: ['regroup'] }),
  ];
  // The second time as after a crash of the subscriber: what it has seen comes again.
  await write(['erased', erased], ['erased', erased], ['erased', null]);
  await write(['gone', leaving], ['gone', left], ['gone', null]);
  expectLine('erased', told(erased));
  expectLine('erased', 'erased erased');
  expectLine('gone', told(leaving));
  expectLine('gone', told(left));

  await following(async () => {
    // Written by a newer version of the software, while they run.
    const newer = await register({
      ...today,
      fields: [...today.fields, { name: 'field_of_the_future', type: ['null', 'string'], default: null }],
    });
    const late = profile('late', 1);
    await write(['late', await registry.encode(newer.id, { ...late, field_of_the_future: 'x' })]);
    expectLine('late', told(late));
  });
  // While none of them runs.
  for (let n = 0; n < 4; n++) await round();
  await following(async () => {});
  await Promise.all(producers.map((producer) => producer.disconnect()));
}

describe('the subscriber of docs/subscribe.md', () => {
  test.for(subscribers)(
    'in $language says each version once, without a gap, and nothing that was aborted',
    ({ language }, context) => {
      const reason = missing.get(language);
      if (reason) context.skip(reason);
      const said = linesOf(atWork.find((one) => one.language === language)?.said ?? '');
      expect(count(), `versions, seed ${SEED}`).toBeGreaterThan(200);
      expect(Object.fromEntries(Map.groupBy(said, (line) => line.split(' ', 1)[0] as string))).toEqual(
        Object.fromEntries(expected),
      );
    },
  );

  test('is shown there as it is', () => {
    const shown = [...page.matchAll(/```(?:js|python|java|ts)\n(?:\/\/|#) docs\/examples\/(\S+)\n([\s\S]*?)```/g)];
    expect(shown.map(([, file]) => file)).toEqual([
      'read-committed.mjs',
      'subscribe.mjs',
      'subscribe.py',
      'Subscribe.java',
      'receive.ts',
      'receive.py',
    ]);
    for (const [, file, text] of shown) expect(text).toBe(readFileSync(fileOf(file as string), 'utf8'));
  });
});

describe.each([
  { language: 'TypeScript', command: [process.execPath, fileOf('receive.ts')] },
  { language: 'Python', command: ['python3', '-u', fileOf('receive.py')] },
])('the receiver of docs/subscribe.md in $language', ({ command }) => {
  const key = randomBytes(32);
  const secretOf = (bytes: Buffer): string => `whsec_${bytes.toString('base64')}`;
  const other = secretOf(randomBytes(24));

  test('takes what is signed with its secret, once and in order, and nothing else', async (context) => {
    const [file, ...args] = command as [string, ...string[]];
    const [port = 0] = await freePorts(1);
    const url = `http://127.0.0.1:${port}/`;
    const env = { ...process.env, WEBHOOK_SECRET: secretOf(key) };
    const child = spawn(file, [...args, String(port)], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const absent = once(child, 'error').then(([error]) => error as NodeJS.ErrnoException);
    const ended = once(child, 'exit');
    let said = '';
    child.stdout.on('data', (data) => {
      said += String(data);
    });
    const isThere = until('it listens', () =>
      fetch(url).then(
        () => true,
        () => false,
      ),
    );
    const error = await Promise.race([isThere, absent]);
    if (error?.code === 'ENOENT') return context.skip(`${file} is missing`);

    const post = postWebhook(60_000, true);
    const send = async (type: string, data: object, secrets = [secretOf(key)]): Promise<number | null> => {
      const body = definitionKinds.profile_webhook.parse({ url, secrets });
      const told = { webhookId: 'an id', body: JSON.stringify({ type, data }) } as Told;
      const answer = await post(
        told,
        { kind: 'profile_webhook', name: 'x', version: 1, body },
        new AbortController().signal,
      );
      return 'status' in answer ? answer.status : null;
    };
    const ada = { profile_id: 'ada', version: 2, traits: { name: 'Ada Löwe' } };
    expect(await send('profile.changed', ada)).toBe(204);
    expect(await send('profile.changed', ada)).toBe(204);
    expect(await send('profile.changed', { ...ada, version: 1 })).toBe(204);
    expect(await send('profile.changed', { ...ada, version: 3 }, [other, secretOf(key)])).toBe(204);
    expect(await send('profile.changed', { ...ada, version: 4 }, [other])).toBe(401);
    // Recorded, and sent again: later, or with something else in it.
    const body = JSON.stringify({ type: 'profile.changed', data: { ...ada, version: 9 } });
    const again = async (seconds: number, sent = body) => {
      const headers = { ...signWebhook('an id', seconds, body, [key]) };
      return (await fetch(url, { method: 'POST', headers, body: sent })).status;
    };
    const now = Math.floor(Date.now() / 1_000);
    expect(await again(now - 600)).toBe(401);
    expect(await again(now, body.replace('ada', 'eve'))).toBe(401);
    expect((await fetch(url, { method: 'POST', body })).status).toBe(401);
    expect(await send('profile.gone', { profile_id: 'ada', version: 4, into: 'eve' })).toBe(204);
    expect(await send('profile.erased', { profile_id: 'ada' })).toBe(204);
    await until('it has said so', () => said.includes('erased'));
    child.kill('SIGKILL');
    await ended;
    expect(linesOf(said)).toEqual(['ada version 2', 'ada version 3', 'ada version 4: gone into eve', 'ada erased']);
  });
});
