import { afterAll, beforeAll, expect, test } from 'vitest';
import { liveOf, type Wish } from '#shared/generations/lifecycle.ts';
import { changeGenerations, type GenerationsHome, readGenerations } from '#shared/generations/records.ts';
import { addresses } from '../../support/addresses.ts';
import { clientsOf, createInstallation, type Installation } from '../../support/installation.ts';

let installation: Installation;
beforeAll(async () => {
  installation = await createInstallation(addresses());
});
afterAll(() => installation.close());

/** Clients of its own, as another process has them. */
const home = (): GenerationsHome => ({ ...clientsOf(addresses()), prefix: installation.prefix, generation: 1 });
const begin: Wish = { verb: 'begin', claims: 'recorded', claims_cut: 0, history: 'clickhouse', definitions: '' };
const by = (actor: string) => ({ actor, reason: 'a test', at: 1_000 });

test('generations that are begun at once have numbers of their own, and each is there once', async () => {
  expect(liveOf(await readGenerations(home()))).toMatchObject({ generation: 1, edition: 1 });
  const writers = ['w1', 'w2', 'w3', 'w4'];
  const begun = await Promise.all(writers.map((writer) => changeGenerations(home(), begin, by(writer))));
  const own = begun.map((decided) => ('records' in decided ? decided.records : []));
  expect(own.map(([record]) => record?.actor)).toEqual(writers);
  expect(own.map(([record]) => record?.generation).sort()).toEqual([2, 3, 4, 5]);
  const all = await readGenerations(home());
  expect([...all.values()].slice(1)).toEqual(own.flat().sort((a, b) => a.generation - b.generation));
});

test('what cannot be is refused and writes nothing', async () => {
  const before = await readGenerations(home());
  expect(await changeGenerations(home(), { verb: 'drop', generation: 1 }, by('me'))).toEqual({
    refused: 'generation 1 is live',
  });
  expect(await readGenerations(home())).toEqual(before);
});
