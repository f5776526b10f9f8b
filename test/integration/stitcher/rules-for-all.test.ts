import { beforeEach, expect, test } from 'vitest';
import type { IdentityClaim, IdentityMapping } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import { applyDefinitions } from '#shared/definitions/apply.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { claim, hashing, identifier, withdrawal } from '#shared/identity/linking/arbitrary.fixture.ts';
import { TaskRunner } from '#shared/task/runner.ts';
import { createLinker } from '../../../services/identity-stitcher/linker.ts';
import { addresses } from '../../support/addresses.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { produce } from '../../support/produce.ts';
import { readAll } from '../../support/read-all.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { until } from '../../support/until.ts';

let installation: Installation;
const ends: (() => Promise<void>)[] = [];

beforeEach(async () => {
  installation = await createInstallation(addresses(), 1);
  return async () => {
    for (const end of ends.splice(0)) await end();
    await installation.close();
  };
});

const PEOPLE = 400;
const people = Array.from({ length: PEOPLE }, (_, n) =>
  ['user_id', 'email', 'anonymous_id'].map((type) => identifier(type, `${type.slice(0, 5)}${n}`)),
);
const claims = people.flatMap(([user, mail, cookie], n) => [
  claim('observed', [user as never], 1_000 + n),
  claim('observed', [user as never, mail as never], 1_000 + n),
  claim('observed', [user as never, cookie as never], 2_000 + n, 'app'),
]);
const write = (...values: readonly (IdentityClaim | { readonly erased: string })[]): Promise<void> =>
  produce(
    installation,
    topics.identityClaims,
    values.map((value) => ('erased' in value ? { key: value.erased, value: null } : { key: value.claim_id, value })),
  );

/** Looks at few at once, so that it takes many batches to look at all. */
function startLinker(dataDirectory: string, sweptAtOnce = 20): () => Promise<void> {
  const host = installation.host({ dataDirectory });
  const runner = new TaskRunner(createLinker({ hashing, generation: 1, sweptAtOnce }), host);
  const running = runner.run();
  const end = async (): Promise<void> => {
    await runner.stop();
    await running;
  };
  ends.push(end);
  return end;
}

/** Sizes of the profiles, and how many there are of each. */
async function sizes(): Promise<Record<number, number>> {
  const mappings = new Map<string, IdentityMapping>();
  for (const { key, value } of await readAll(installation, topics.identityMappings))
    if (value) mappings.set(key, value);
  const members = new Map<string, number>();
  for (const { hash } of people.flat()) {
    const profile = mappings.get(hash)?.profile_id ?? hashing.profileIdOf(hash);
    members.set(profile, (members.get(profile) ?? 0) + 1);
  }
  const counts: Record<number, number> = {};
  for (const size of members.values()) counts[size] = (counts[size] ?? 0) + 1;
  return counts;
}

const untilSizes = async (expected: Record<number, number>): Promise<void> => {
  let last: Record<number, number> = {};
  await until(
    `profiles are ${JSON.stringify(expected)}`,
    async () => {
      last = await sizes();
      return JSON.stringify(last) === JSON.stringify(expected);
    },
    undefined,
    () => JSON.stringify(last),
  );
};

const home = () => ({
  kafka: installation.kafka,
  codecs: installation.codecs,
  prefix: installation.prefix,
  partitions: 1,
  replication: 1,
});
const rules = (text: object) => [
  { kind: 'identity_rules', name: 'default', body: definitionKinds.identity_rules.parse(text) } as const,
];
const by = { actor: 'test', reason: 'the rules change', at: 5_000 };

test('rules that are applied hold for all that was claimed before, and what is withdrawn no longer counts, across restarts', async () => {
  const dataDirectory = temporaryDirectory();
  const end = startLinker(dataDirectory, 4);
  await write(...claims);
  await untilSizes({ 3: PEOPLE });

  const types = ['user_id', 'email', 'anonymous_id'].map((type) => ({ type, limit: 1 }));
  await applyDefinitions(home(), rules({ types: types.map((one) => ({ ...one, links: 'lookup' })) }), by);
  // It is interrupted on its way, and goes on without any claim coming.
  await until('some are split', async () => ((await sizes())[1] ?? 0) > 0);
  await end();
  const before = (await sizes())[1] ?? 0;
  startLinker(dataDirectory);
  await untilSizes({ 1: 3 * PEOPLE });
  expect(before).toBeLessThan(3 * PEOPLE);

  await applyDefinitions(home(), rules({ types }), { ...by, at: 6_000 });
  await untilSizes({ 3: PEOPLE });
  await write(withdrawal('source:app'));
  await untilSizes({ 1: PEOPLE, 2: PEOPLE });
  await write(withdrawal('source:app', true));
  await untilSizes({ 3: PEOPLE });
  await write({ erased: (claims[1] as IdentityClaim).claim_id });
  await untilSizes({ 1: 1, 2: 1, 3: PEOPLE - 1 });
});

test('a linker whose disk is lost goes on with the rules and withdrawals that it had', async () => {
  const end = startLinker(temporaryDirectory());
  await write(...claims, withdrawal('source:app'));
  await untilSizes({ 1: PEOPLE, 2: PEOPLE });
  await end();
  startLinker(temporaryDirectory());
  const [user, , cookie] = people[0] as [never, never, never];
  await write(claim('observed', [user, cookie], 9_000));
  await untilSizes({ 1: PEOPLE - 1, 2: PEOPLE - 1, 3: 1 });
});
