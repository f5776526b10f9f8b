import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { applyDefinitions, type DefinitionsHome, diffDefinitions } from '#shared/definitions/apply.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { Conflict } from '#shared/definitions/mistakes-among.ts';
import type { Wanted } from '#shared/definitions/validate.ts';
import { addresses } from '../../support/addresses.ts';
import { clientsOf, createInstallation, type Installation } from '../../support/installation.ts';
import { readAll } from '../../support/read-all.ts';

let installation: Installation;
beforeAll(async () => {
  installation = await createInstallation(addresses());
});
afterAll(() => installation.close());

/** Clients of its own, as another process has them. */
const home = (): DefinitionsHome => ({
  ...clientsOf(addresses()),
  prefix: installation.prefix,
  partitions: 2,
  replication: 1,
});
const by = (actor: string) => ({ actor, reason: 'a test', at: 1_000 });
const purpose = (name: string, description: string): Wanted => ({
  kind: 'purpose',
  name,
  body: definitionKinds.purpose.parse({ description }),
});

const written = async () => (await readAll(installation, topics.definitions)).flatMap(({ value }) => value ?? []);

describe('applying definitions', () => {
  test('writes a version of what differs, and nothing when all is in force', async () => {
    const first = [purpose('one', 'a'), purpose('two', 'a')];
    expect((await applyDefinitions(home(), first, by('me'))).map(({ what }) => what)).toEqual(['created', 'created']);
    expect((await applyDefinitions(home(), first, by('me'))).map(({ what }) => what)).toEqual([
      'unchanged',
      'unchanged',
    ]);
    const second = [purpose('one', 'b'), purpose('two', 'a')];
    expect(await diffDefinitions(home(), second)).toMatchObject([
      { what: 'changed', version: 2 },
      { what: 'unchanged' },
    ]);
    await applyDefinitions(home(), second, by('you'));
    expect((await written()).map(({ name, version, actor }) => [name, version, actor])).toEqual([
      ['one', 1, 'me'],
      ['two', 1, 'me'],
      ['one', 2, 'you'],
    ]);
  });

  test('several at once go one after the other: versions rise by one, and nothing is lost', async () => {
    const writers = ['w1', 'w2', 'w3', 'w4'];
    await Promise.all(
      writers.map((writer) =>
        applyDefinitions(home(), [purpose('shared', writer), purpose(writer, 'own')], by(writer)),
      ),
    );
    const records = await written();
    const shared = records.filter(({ name }) => name === 'shared');
    expect(shared.map(({ version }) => version)).toEqual([1, 2, 3, 4]);
    expect(shared.map(({ actor }) => actor).sort()).toEqual(writers);
    for (const writer of writers)
      expect(records.filter(({ name }) => name === writer).map(({ version, actor }) => [version, actor])).toEqual([
        [1, writer],
      ]);
  });

  test('of several sources that want one write key at once, one has it', async () => {
    const source = (name: string): Wanted => ({
      kind: 'source',
      name,
      body: definitionKinds.source.parse({ writeKeys: [{ key: 'the-key' }] }),
    });
    const applied = await Promise.allSettled(
      ['s1', 's2', 's3'].map((name) => applyDefinitions(home(), [source(name)], by(name))),
    );
    const refused = applied.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    expect(refused).toEqual([expect.any(Conflict), expect.any(Conflict)]);
    const owners = (await written()).filter(({ kind }) => kind === 'source');
    expect(owners).toHaveLength(1);
    expect(String(refused[0])).toContain(`spec.writeKeys.0.key: is already a write key of source/${owners[0]?.name}`);
    await expect(diffDefinitions(home(), [source('s4')])).rejects.toThrow(Conflict);
  });

  test('a writer that died in the middle leaves nothing and does not hold up the next', async () => {
    const { kafka } = clientsOf(addresses());
    const dead = kafka.producer({
      transactionalId: `${installation.prefix}definitions-writer`,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await dead.connect();
    const open = await dead.transaction();
    await open.send({
      topic: installation.prefix + topics.definitions.name,
      messages: [{ key: 'purpose/half', value: 'junk' }],
    });
    expect(await applyDefinitions(home(), [purpose('half', 'whole')], by('me'))).toMatchObject([
      { what: 'created', version: 1 },
    ]);
    await expect(open.commit()).rejects.toThrow();
    await dead.disconnect();
  });

  test('a destination has its topics when it is in force', async () => {
    const body = definitionKinds.destination.parse({ type: 'webhook', action: 'send', subscribe: 'type = "track"' });
    await applyDefinitions(home(), [{ kind: 'destination', name: 'hook', body }], by('me'));
    const names = await installation.admin.listTopics();
    expect(names).toContain(`${installation.prefix}delivery.hook`);
    expect(names).toContain(`${installation.prefix}delivery.hook.dead`);
  });
});
