import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { quietTopics, type Topic, topics } from '#schemas/topics.ts';
import { canonicalProfile } from '#shared/profiles/digest.ts';
import { identify } from '../../../deploy/local/process-identity.ts';
import { Operator } from '../../support/operator.ts';
import { readAll } from '../../support/read-all.ts';
import { until } from '../../support/until.ts';

let operator: Operator;
beforeAll(async () => {
  operator = await Operator.begin();
});
afterAll(() => operator?.end());

/** Content of the profiles that a topic holds, by their ids. */
async function contentOf(topic: Topic & { readonly value: 'Profile' }): Promise<Map<string, string>> {
  const content = new Map<string, string>();
  for (const { key, value } of await readAll(operator.installation, topic)) {
    if (value && !value.gone) content.set(key, canonicalProfile(value));
    else content.delete(key);
  }
  return content;
}

interface Told {
  readonly service?: string;
  readonly pid?: number;
  readonly why?: string;
}

const tool = join(import.meta.dirname, '..', '..', '..', 'bin', 'tributary.mjs');

test('a replay whose processes are killed goes on where it was, and has the content of what is live', async () => {
  const people = Array.from({ length: 40 }, (_, n) => [`anonymous_id:a-${n % 25}`, `user_id:u-${n % 9}`]);
  await operator.collect(...people, ['user_id:alone']);

  const command = spawn(process.execPath, [tool, 'replay', '--reason', 'a test', '--json'], {
    env: operator.env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  command.stderr.on('data', (data) => {
    said += String(data);
  });
  const told = (): Told[] =>
    said
      .split('\n')
      .slice(0, -1)
      // Node warns there of what it does not like.
      .flatMap((line) => (line.startsWith('{') ? (JSON.parse(line) as Told) : []));
  const pids = (): number[] => told().flatMap(({ pid }) => pid ?? []);
  try {
    await until('both services were started', () => pids().length === 2);
    for (const pid of pids()) process.kill(pid, 'SIGKILL');
    await until('they were started again', () => pids().length === 4, undefined, told);
    const ended = told().filter(({ why }) => why !== undefined);
    expect(ended.map(({ service, why }) => `${service} ${why}`).sort()).toEqual([
      'identity-stitcher ended (SIGKILL)',
      'profile-projector ended (SIGKILL)',
    ]);
  } finally {
    const exited = once(command, 'exit');
    command.kill('SIGKILL');
    await exited;
  }
  await until('its children have ended with it', () => pids().every((pid) => identify(pid) === undefined));
  // What comes while nobody runs it is in it, too.
  await operator.collect(['anonymous_id:a-3', 'user_id:late'], ['user_id:late', 'email:late@example.com']);

  expect(await operator.json('replay', 'resume', '2', '--until-complete')).toMatchObject({
    generation: 2,
    complete: true,
  });
  const replayed = await contentOf(quietTopics(2).profiles);
  expect(replayed.size).toBeGreaterThan(5);
  await expect.poll(() => contentOf(topics.profiles)).toEqual(replayed);
  await expect
    .poll(() => operator.json('replay', 'list'))
    .toMatchObject([
      { generation: 1, state: 'live' },
      { generation: 2, state: 'replaying', runs: false, read: { profiles: 1 }, complete: true, reason: 'a test' },
    ]);
});

const liveEdition = async (): Promise<number> => {
  const all = await operator.json<{ state: string; edition: number }[]>('replay', 'list');
  return all.find(({ state }) => state === 'live')?.edition ?? 0;
};

/** Interrupts a switch in its midst. @returns what it said, or undefined: it was faster */
async function interruptSwitch(generation: string): Promise<string | undefined> {
  const command = spawn(process.execPath, [tool, 'replay', 'switch', generation, '--yes'], {
    env: operator.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(command, 'close');
  let said = '';
  const hear = (data: Buffer): void => {
    said += String(data);
    if (said.includes('has yielded')) command.kill('SIGINT');
  };
  command.stdout.on('data', hear);
  command.stderr.on('data', hear);
  const [code] = await exited;
  return code === 130 && !said.includes('publishes') ? said : undefined;
}

test('a switch that was interrupted is told of, and goes on', async () => {
  let said: string | undefined;
  await until('one is interrupted', async () => {
    said = await interruptSwitch('2');
    if (!said) for (const one of ['2', '1']) await operator.json('replay', 'switch', one, '--yes');
    return said !== undefined;
  });
  const begun = 'a switch to generation 2 has begun: publishing may stand still until it has ended';
  expect(said).toContain(begun);
  expect(await operator.run('doctor')).toMatchObject({ code: 1, out: expect.stringContaining(begun) });
  expect((await operator.run('replay', 'list')).out).toContain('replaying, a switch to it has begun');
  // What is live by its record has yielded: to say that it is so would be a trap.
  expect(await operator.run('replay', 'switch', '1', '--yes')).toMatchObject({
    code: 1,
    err: expect.stringContaining(begun),
  });
});

test('one becomes live while events come, and the one before again: nobody misses a version, or sees one twice', async () => {
  const coming = async (n: number): Promise<void> => {
    for (let round = 0; round < 6; round++)
      await operator.collect(
        [`anonymous_id:b-${n}-${round % 4}`, `user_id:u-${round % 3}`],
        [`anonymous_id:a-${round}`],
      );
  };
  for (const [n, generation] of [
    [1, 2],
    [2, 1],
  ] as const) {
    const edition = (await liveEdition()) + 1;
    const [switched] = await Promise.all([
      operator.json('replay', 'switch', String(generation), '--yes', '--reason', 'a test'),
      coming(n),
    ]);
    expect(switched).toMatchObject({ generation, live: generation, edition });
    await operator.collect([`user_id:after-${n}`]);
    const versions = await readAll(operator.installation, topics.profiles);
    const after = operator.defaultOf(`user_id:after-${n}`);
    expect(versions.findLast(({ key }) => key === after)?.value).toMatchObject({ generation, edition });
    for (const [id, those] of Map.groupBy(versions, ({ key }) => key)) {
      const numbers = those.flatMap(({ value }) => value?.version ?? []);
      expect(numbers, id).toEqual(numbers.map((_, at) => at + 1));
    }
    const other = quietTopics(generation === 1 ? 2 : 1).profiles;
    await until('the other one has the same', async () =>
      isDeepStrictEqual(await contentOf(other), await contentOf(topics.profiles)),
    );
    await operator.untilOne(`user_id:after-${n}`);
  }
  await expect
    .poll(() => operator.json('replay', 'list'))
    .toMatchObject([
      { generation: 1, state: 'live' },
      { generation: 2, state: 'retired', runs: true },
    ]);
});

test('one is thrown away with all that belongs to it, and never the live one', async () => {
  const belongs = (name: string): boolean =>
    /\.internal\.g2\.|\.g2\./.test(name.slice(operator.installation.prefix.length - 1));
  const { admin } = operator.installation;
  const topicsOf2 = async () =>
    (await admin.listTopics()).filter((name) => name.startsWith(operator.installation.prefix) && belongs(name));
  const folder = join(operator.env.TRIBUTARY_DATA as string, 'state', 'g2');
  expect([(await topicsOf2()).length > 5, existsSync(folder)]).toEqual([true, true]);

  expect(await operator.run('replay', 'drop', '1', '--yes')).toMatchObject({
    code: 1,
    err: expect.stringContaining('generation 1 cannot be dropped'),
  });
  expect(await operator.run('replay', 'drop', '2')).toMatchObject({
    code: 2,
    err: expect.stringContaining('nothing is done yet'),
  });
  expect(await operator.json('replay', 'drop', '2', '--yes')).toMatchObject({ generation: 2, dropped: true });

  const groupsOf2 = async () =>
    (await admin.listGroups()).groups.filter(({ groupId }) => groupId.startsWith(`${operator.installation.prefix}g2.`));
  await expect.poll(groupsOf2).toEqual([]);
  await until('its topics are gone', async () => (await topicsOf2()).length === 0);
  expect(existsSync(folder)).toBe(false);
  expect(await operator.run('replay', 'resume', '2')).toMatchObject({
    code: 1,
    err: expect.stringContaining('generation 2 is dropped'),
  });
  expect(await operator.json('replay', 'list')).toMatchObject([{ state: 'live' }, { generation: 2, state: 'dropped' }]);
});

test('from what Kafka holds, with claims made anew from the events: the same content again', async () => {
  const options = ['--from', 'kafka', '--claims', 'rebuild', '--reason', 'a test'];
  expect(await operator.json('replay', ...options, '--until-complete')).toMatchObject({
    generation: 3,
    complete: true,
  });
  const live = await contentOf(topics.profiles);
  expect(live.size).toBeGreaterThan(5);
  expect(await contentOf(quietTopics(3).profiles)).toEqual(live);
  expect(await operator.json('replay', 'list')).toMatchObject([
    { state: 'live' },
    { state: 'dropped' },
    { generation: 3, state: 'replaying', history: 'kafka', claims: 'rebuilt', complete: true },
  ]);
});

test('what is asked wrongly is said before anything is begun', async () => {
  const file = join(operator.env.TRIBUTARY_DATA as string, 'circle.yaml');
  writeFileSync(file, 'kind: traits\nname: odd\nspec: {compute: {trait: odd}}\n');
  const all = await Promise.all([
    operator.run('replay', '--with', file),
    operator.run('replay', '--with', join(file, 'nowhere')),
    operator.run('replay', '--claims', 'some'),
    operator.run('replay', '--rate', 'fast'),
    operator.run('replay', 'resume', '9'),
    operator.run('replay', 'compare', '9'),
    operator.run('replay', 'compare'),
    operator.run('replay', 'compare', '2'),
    operator.run('replay', 'anything'),
  ]);
  expect(all.map(({ code, err }) => [code, err.split('\n')[0]])).toEqual([
    [1, expect.stringContaining(`${file}:`)],
    [1, expect.stringContaining('cannot be read')],
    [2, expect.stringContaining('must be one of recorded, rebuild')],
    [2, expect.stringContaining('must be a whole number')],
    [1, 'there is no generation 9'],
    [1, 'there is no generation 9'],
    [2, 'which generation?'],
    [2, 'generation 2 is dropped'],
    [2, 'there is no command replay anything'],
  ]);
  expect(await operator.json('replay', 'list')).toHaveLength(3);
});
