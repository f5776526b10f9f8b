import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type {
  ClaimRef,
  Identifier,
  IdentityChange,
  IdentityClaim,
  IdentityMapping,
  Link,
  Node,
} from '#schemas/generated/records.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import {
  activation,
  batchSizes,
  type ClaimRecord,
  claim,
  claimLogs,
  claims,
  hashing,
  identifier,
  inBatches,
  orderSeeds,
  shuffled,
  universe,
  withdrawal,
} from '#shared/identity/linking/arbitrary.fixture.ts';
import { resolveAll } from '#shared/identity/linking/one-shot.ts';
import { type Rules, rulesIn, rulesOf } from '#shared/identity/linking/rules.ts';
import { memoryPartition } from '#shared/task/memory.ts';
import type { Emitted } from '#shared/task/workspace.ts';
import { quarantineOf } from './core/quarantine.ts';
import { createLinker } from './linker.ts';

/** Small limits, so that the small universe breaks them. */
const definitions = new Definitions([
  {
    kind: 'identity_rules',
    name: 'default',
    version: 3,
    body: definitionKinds.identity_rules.parse({
      types: [
        { type: 'user_id', limit: 1 },
        { type: 'email', limit: 2 },
        { type: 'anonymous_id', limit: 3 },
        { type: 'device_id', limit: 2, links: 'weak' },
      ],
      sharedFrom: 3,
    }),
  },
]);
const caps = { shared: 4, kept: 6 };

interface Linked {
  readonly profiles: Record<string, string>;
  readonly versions: readonly IdentityMapping[];
  readonly changes: readonly IdentityChange[];
  readonly nodes: readonly Node[];
  readonly links: readonly (readonly [string, Link])[];
}

const link = (log: readonly IdentityClaim[], sizes: readonly number[], of = definitions): Promise<Linked> =>
  linkRecords(
    log.map((value) => ({ key: value.claim_id, value })),
    sizes,
    of,
  );

async function linkRecords(log: readonly ClaimRecord[], sizes: readonly number[], of = definitions): Promise<Linked> {
  const linker = memoryPartition(createLinker({ hashing, generation: 1, caps, sweptAtOnce: 3 }), 0);
  const emitted: Emitted[] = [];
  let goesOn = false;
  for (const batch of inBatches(log, sizes)) {
    const run = await linker.run(
      batch.map((record) => ({ input: 'claim', ...record })),
      of,
    );
    expect(run.rejected).toEqual([]);
    emitted.push(...run.emitted);
    goesOn = run.goesOn;
  }
  while (goesOn) {
    const run = await linker.run([], of);
    emitted.push(...run.emitted);
    goesOn = run.goesOn;
  }
  const versions = emitted.filter(({ output }) => output === 'mapping').map(({ value }) => value as IdentityMapping);
  const nodes = linker.entries('node').map(([, value]) => value as Node);
  const links = linker.entries('link') as [string, Link][];
  const profiles = Object.fromEntries(
    nodes.map(({ identifier: { hash } }) => [hash, hashing.profileIdOf(hash)] as const),
  );
  for (const mapping of versions) profiles[mapping.hash] = mapping.profile_id;
  const changes = emitted.filter(({ output }) => output === 'change').map(({ value }) => value as IdentityChange);
  return { profiles, versions, changes, nodes, links };
}

const expected = (log: readonly IdentityClaim[]): Record<string, string> =>
  Object.fromEntries(
    resolveAll(log, rulesIn(definitions), caps).flatMap(({ anchor, members }) =>
      members.map((node) => [node.identifier.hash, hashing.profileIdOf(anchor.identifier.hash)]),
    ),
  );

/** Nodes without what depends on when they were decided. */
const graphOf = (nodes: readonly Node[]) => nodes.map(({ version: _, ...node }) => node);

describe('whatever the order of claims, the batches and the repetitions', () => {
  test('the mappings are those of all claims at once', async () => {
    await fc.assert(
      fc.asyncProperty(claims, orderSeeds, batchSizes, async (log, seeds, sizes) => {
        const repeated = shuffled([...log, ...log.slice(0, log.length / 3)], seeds);
        expect((await link(repeated, sizes)).profiles).toEqual(expected(log));
      }),
      { numRuns: 400 },
    );
  });

  test('the graph that is kept is the same, with its refusals', async () => {
    await fc.assert(
      fc.asyncProperty(claims, orderSeeds, batchSizes, batchSizes, async (log, seeds, sizes, otherSizes) => {
        const one = await link(log, sizes);
        const other = await link(shuffled(log, seeds), otherSizes);
        expect(graphOf(other.nodes)).toEqual(graphOf(one.nodes));
        expect(other.links).toEqual(one.links);
      }),
      { numRuns: 300 },
    );
  });

  test('versions of one identifier rise, and each mapping has its move away from the profile before', async () => {
    await fc.assert(
      fc.asyncProperty(claims, orderSeeds, batchSizes, async (log, seeds, sizes) => {
        const { versions, changes, nodes } = await link(shuffled(log, seeds), sizes);
        const known = new Map<string, { profile: string; version: number }>();
        const moves = changes.filter(({ kind }) => kind === 'moved');
        expect(moves).toHaveLength(versions.length);
        versions.forEach((mapping, n) => {
          const before = known.get(mapping.hash) ?? { profile: hashing.profileIdOf(mapping.hash), version: 0 };
          expect(mapping.version).toBeGreaterThan(before.version);
          expect(mapping.profile_id).not.toBe(before.profile);
          expect(moves[n]).toMatchObject({
            profile_id: before.profile,
            to_profile_id: mapping.profile_id,
            version: mapping.version,
            identifier: { hash: mapping.hash },
          });
          known.set(mapping.hash, { profile: mapping.profile_id, version: mapping.version });
        });
        const discovered = changes.filter(({ kind }) => kind === 'discovered').map((change) => change.identifier.hash);
        expect(discovered.sort()).toEqual(nodes.map((node) => node.identifier.hash).sort());
      }),
      { numRuns: 200 },
    );
  });
});

/** What is left of a log in the end: claims, what withdraws them, and the rules. */
function endOf(log: readonly ClaimRecord[]): { readonly claims: IdentityClaim[]; readonly rules: Rules } {
  let claims: ClaimRecord[] = [];
  let rules = rulesIn(definitions);
  for (const { key, value } of log) {
    if (!value) claims = claims.filter((claim) => claim.key !== key);
    else if (value.kind === 'activate_rules')
      rules = rulesOf(definitionKinds.identity_rules.parse(JSON.parse(value.rules as string)));
    else claims.push({ key, value });
  }
  return { claims: claims.map(({ value }) => value as IdentityClaim), rules };
}

const profilesOf = (claims: readonly IdentityClaim[], rules: Rules): Record<string, string> =>
  Object.fromEntries(
    resolveAll(claims, rules, caps).flatMap(({ anchor, members }) =>
      members.map((node) => [node.identifier.hash, hashing.profileIdOf(anchor.identifier.hash)]),
    ),
  );

describe('claims that are withdrawn or erased, and rules that change', () => {
  const loose = { types: [{ type: 'user_id', limit: 1 }], sharedFrom: 5, mostIdentifiers: 6 };
  const strict = {
    types: [
      { type: 'user_id', limit: 1 },
      { type: 'email', limit: 1, limitDays: 0.01 },
      { type: 'anonymous_id', limit: 2, whenShared: 'device' },
      { type: 'device_id', links: 'lookup' },
    ],
    sharedFrom: 2,
    quarantine: { identifiers: 2, perHour: 2 },
  };
  const logs = claimLogs([loose, strict]);

  test('the mappings are those of what is left, under the last rules', async () => {
    await fc.assert(
      fc.asyncProperty(logs, batchSizes, async (log, sizes) => {
        const { claims, rules } = endOf(log);
        const { profiles } = await linkRecords(log, sizes);
        // An identifier of which nothing is left is in its own profile.
        const expected = profilesOf(claims, rules);
        for (const [hash, profile] of Object.entries(profiles))
          expect([hash, profile]).toEqual([hash, expected[hash] ?? hashing.profileIdOf(hash)]);
        expect(Object.keys(profiles)).toEqual(expect.arrayContaining(Object.keys(expected)));
      }),
      { numRuns: 1_000 },
    );
  });

  test('the graph that is kept is the same for all batches', async () => {
    await fc.assert(
      fc.asyncProperty(logs, batchSizes, batchSizes, async (log, sizes, otherSizes) => {
        const [one, other] = [await linkRecords(log, sizes), await linkRecords(log, otherSizes)];
        expect(graphOf(other.nodes)).toEqual(graphOf(one.nodes));
        expect(other.links).toEqual(one.links);
      }),
      { numRuns: 500 },
    );
  });

  test('a claim that is made and withdrawn, or made and erased, changes nothing', async () => {
    const added = fc.constantFrom('must_link', 'cannot_link', 'alias', 'observed', 'block');
    await fc.assert(
      fc.asyncProperty(claims, added, fc.nat(20), fc.nat(20), batchSizes, async (log, kind, a, b, sizes) => {
        const [one, two] = [
          universe[a % universe.length],
          universe[(a + 1 + (b % (universe.length - 1))) % universe.length],
        ];
        const pair = (kind === 'block' ? [one] : [one, two]) as Identifier[];
        const extra = claim(kind, pair, 20, null, 'another person');
        const before = await link([...log, ...pair.map((it) => claim('observed', [it], 25))], sizes);
        const seen = [...log, ...pair.map((it) => claim('observed', [it], 25))];
        const withdrawn = await link([...seen, extra, withdrawal(`claim:${extra.claim_id}`)], sizes);
        expect(withdrawn.profiles).toEqual(before.profiles);
        const records = [...seen, extra].map((value) => ({
          key: value.claim_id,
          value: value as IdentityClaim | null,
        }));
        const erased = await linkRecords([...records, { key: extra.claim_id, value: null }], sizes);
        expect(erased.profiles).toEqual(before.profiles);
        expect(graphOf(erased.nodes)).toEqual(graphOf(before.nodes));
        expect(erased.links).toEqual(before.links);
      }),
      { numRuns: 300 },
    );
  });

  test('a claim that comes again, seen earlier and under a version that is withdrawn, no longer counts', async () => {
    const [user, , , , , , mail] = universe as [Identifier, ...Identifier[]];
    const seen = (receivedAt: number, version: number): IdentityClaim => ({
      ...claim('observed', [user, mail as Identifier], receivedAt),
      definitions: [{ definition: 'source/web', version }],
    });
    const alone = [user, mail as Identifier].map((one) => claim('observed', [one], 25));
    const before = [...alone, withdrawal('definition:source/web@1'), seen(20, 2)];
    expect(Object.values((await link(before, [1])).profiles)).toHaveLength(2);
    expect(new Set(Object.values((await link(before, [1])).profiles)).size).toBe(1);
    const { profiles, nodes } = await link([...before, seen(10, 1)], [1]);
    expect(new Set(Object.values(profiles)).size).toBe(2);
    expect(nodes.map(({ first_received, neighbours }) => [first_received, neighbours])).toEqual([
      [25, 0],
      [25, 0],
    ]);
  });

  test('quarantine is told when it begins and when it ends, of profiles that there are', async () => {
    await fc.assert(
      fc.asyncProperty(logs, batchSizes, async (log, sizes) => {
        const { changes, nodes } = await linkRecords([{ key: 'r', value: activation(strict, 1) }, ...log], sizes);
        const open = new Set<string>();
        for (const { kind, profile_id } of changes) {
          if (kind === 'quarantined') open.add(profile_id);
          if (kind === 'released') expect(open.delete(profile_id)).toBe(true);
        }
        const { claims, rules } = endOf([{ key: 'r', value: activation(strict, 1) }, ...log]);
        const large = resolveAll(claims, rules, caps).filter((group) => quarantineOf(group, rules) !== null);
        expect([...open].sort()).toEqual(large.map(({ anchor }) => hashing.profileIdOf(anchor.identifier.hash)).sort());
        expect(nodes.filter(({ quarantine }) => quarantine !== null)).toHaveLength(open.size);
      }),
      { numRuns: 300 },
    );
  });
});

test('a linker that goes on from its stores ends like one that never stopped', async () => {
  await fc.assert(
    fc.asyncProperty(claims, batchSizes, async (log, sizes) => {
      const one = memoryPartition(createLinker({ hashing, generation: 1, caps }), 0);
      for (const batch of inBatches(log, sizes)) {
        // Each batch meets a new instance of the task, which knows nothing but the stores.
        const fresh = memoryPartition(createLinker({ hashing, generation: 1, caps }), 0);
        for (const store of ['node', 'link', 'origin', 'claim', 'withdrawal', 'linking'])
          for (const [key, value] of one.entries(store)) restore(fresh, store, key, value);
        const inputs = batch.map((value, n) => ({ input: 'claim', key: value.claim_id, value, offset: n }));
        const restarted = await fresh.run(inputs, definitions);
        const steady = await one.run(inputs, definitions);
        expect(restarted.emitted).toEqual(steady.emitted);
      }
    }),
    { numRuns: 100 },
  );
});

test('what an earlier version kept with the claims goes on: they can be withdrawn and erased', async () => {
  const kept = (ref: ClaimRef): ClaimRef => ({ ...ref, origin: -1 });
  await fc.assert(
    fc.asyncProperty(
      claimLogs([{ types: [{ type: 'user_id', limit: 1 }], sharedFrom: 5 }]),
      fc.nat(40),
      batchSizes,
      async (log, at, sizes) => {
        const one = memoryPartition(createLinker({ hashing, generation: 1, caps, sweptAtOnce: 3 }), 0);
        const other = memoryPartition(createLinker({ hashing, generation: 1, caps, sweptAtOnce: 3 }), 0);
        const profiles = [new Map<string, string>(), new Map<string, string>()];
        const take = async (records: readonly ClaimRecord[]): Promise<void> => {
          for (const [n, partition] of [one, other].entries()) {
            const inputs = records.map((record) => ({ input: 'claim', ...record }));
            let run = await partition.run(inputs, definitions);
            for (;;) {
              for (const { output, key, value } of run.emitted)
                if (output === 'mapping') profiles[n]?.set(key, (value as IdentityMapping).profile_id);
              if (!run.goesOn) break;
              run = await partition.run([], definitions);
            }
          }
        };
        for (const batch of inBatches(log.slice(0, at), sizes)) await take(batch);
        for (const [key, value] of other.entries('node')) {
          const node = value as Node;
          restore(other, 'node', key, { ...node, claims: node.claims.map(kept) });
        }
        for (const [key, value] of other.entries('link')) {
          const link = value as Link;
          restore(other, 'link', key, { ...link, claims: link.claims.map(kept) });
        }
        // The earliest of each, unless it was erased.
        const known = new Map<string, IdentityClaim>();
        for (const { key, value } of log.slice(0, at)) {
          const before = known.get(key);
          if (!value) known.delete(key);
          else if (!before || value.received_at <= before.received_at) known.set(key, value);
        }
        for (const [key] of other.entries('claim')) restore(other, 'claim', key, undefined);
        for (const [key, value] of known)
          restore(other, 'claim', key, { ...value, hashes: value.identifiers.map(({ hash }) => hash), strength: 0 });
        for (const batch of inBatches(log.slice(at), sizes)) await take(batch);
        expect(Object.fromEntries(profiles[1] ?? [])).toEqual(Object.fromEntries(profiles[0] ?? []));
      },
    ),
    { numRuns: 300 },
  );
});

const restore = (partition: ReturnType<typeof memoryPartition>, store: string, key: string, value: unknown): void =>
  partition.state.apply({ changes: new Map([[store, new Map([[key, value]])]]) } as never);

describe('changes explain themselves', () => {
  const [user, laptop, mail, other] = [
    identifier('user_id', 'u'),
    identifier('anonymous_id', 'laptop'),
    identifier('email', 'e'),
    identifier('user_id', 'other'),
  ] as const;
  const short = (change: IdentityChange) =>
    [change.kind, change.identifier.value, change.other?.value ?? null, change.reason] as const;

  test('anonymous, then known: who moved, through whom, by which claim, under which rules', async () => {
    const observed = claim('observed', [user, laptop], 7);
    const { changes } = await link([claim('observed', [laptop], 1), observed], [1]);
    expect(changes.map(short)).toEqual([
      ['discovered', 'laptop', null, 'first_seen'],
      ['discovered', 'u', null, 'first_seen'],
      ['moved', 'u', 'laptop', 'linked'],
    ]);
    expect(changes.at(-1)).toMatchObject({
      claim_ids: [observed.claim_id],
      decided_at: 7,
      version: 2,
      profile_id: hashing.profileIdOf(user.hash),
      to_profile_id: hashing.profileIdOf(laptop.hash),
      definitions: [{ definition: 'identity_rules/default', version: 3 }],
    });
  });

  test('over two steps the neighbour on the way is told', async () => {
    const { changes } = await link(
      [claim('observed', [laptop], 1), claim('observed', [laptop, user], 2), claim('observed', [user, mail], 3)],
      [10],
    );
    const moves = changes.filter(({ kind }) => kind === 'moved').map(short);
    expect(moves.sort()).toEqual([
      ['moved', 'e', 'u', 'linked'],
      ['moved', 'u', 'laptop', 'linked'],
    ]);
    // One version for all that a batch decides about a component: that of the last claim that touched it.
    expect(changes.map(({ version }) => version)).toEqual([0, 0, 0, 3, 3]);
  });

  test('a refused link is told once, with the limit', async () => {
    const log = [
      claim('observed', [laptop, user], 1),
      claim('observed', [laptop, other], 2),
      claim('observed', [laptop, mail], 3),
    ];
    const { changes } = await link(log, [1]);
    const refusals = changes.filter(({ kind }) => kind === 'refused');
    expect(refusals.map(({ reason }) => reason)).toEqual(['limit:user_id']);
    expect([refusals[0]?.identifier.value, refusals[0]?.other?.value].sort()).toEqual(['laptop', 'other']);
  });

  test('an earlier sighting changes the anchor', async () => {
    const { changes } = await link([claim('observed', [user, laptop], 5), claim('observed', [laptop], 4)], [1]);
    expect(changes.filter(({ kind }) => kind === 'moved').map(short)).toEqual([
      ['moved', 'laptop', 'u', 'linked'],
      ['moved', 'laptop', null, 'oldest_changed'],
      ['moved', 'u', 'laptop', 'oldest_changed'],
    ]);
  });

  test('an identifier with too many neighbours is told as shared once to each, before and after it keeps them', async () => {
    const mails = Array.from({ length: caps.kept + 2 }, (_, n) => identifier('email', `${n}`));
    const log = mails.map((one, n) => claim('observed', [laptop, one], n + 1));
    for (const sizes of [[1], [100]]) {
      const { changes } = await link(log, sizes);
      const shared = changes.filter(({ kind, reason }) => kind === 'refused' && reason === 'shared');
      const values = shared.map((change) =>
        [change.identifier.value, change.other?.value].filter((v) => v !== 'laptop'),
      );
      // What a limit had refused before stays refused, and is not told again.
      expect(new Set(values.flat()).size).toBe(shared.length);
      for (let n = caps.shared; n < mails.length; n++) expect(values.flat()).toContain(`${n}`);
      const refused = changes.filter(({ kind }) => kind === 'refused');
      expect(refused).toHaveLength(mails.length);
    }
  });

  test('a user id keeps its profile under the cookies of years', async () => {
    const cookies = Array.from({ length: 600 }, (_, n) => identifier('anonymous_id', `cookie ${n}`));
    const log = [
      claim('observed', [user, laptop], 0),
      ...cookies.map((one, n) => claim('observed', [user, one], n + 1)),
    ];
    const together = async (count: number): Promise<boolean> => {
      const linker = memoryPartition(createLinker({ hashing, generation: 1 }), 0);
      const profiles = new Map<string, string>();
      for (const batch of inBatches(log.slice(0, count), [50])) {
        const { emitted } = await linker.run(batch.map((value) => ({ input: 'claim', key: value.claim_id, value })));
        for (const { output, key, value } of emitted)
          if (output === 'mapping') profiles.set(key, (value as IdentityMapping).profile_id);
      }
      const profileOf = ({ hash }: Identifier): string => profiles.get(hash) ?? hashing.profileIdOf(hash);
      return profileOf(user) === profileOf(laptop);
    };
    expect(await together(512)).toBe(true);
    // There is an end to what a node can keep.
    expect(await together(513)).toBe(false);
  });

  test('of two claims in a batch about the same identifiers the later decides the version', async () => {
    const log = [claim('observed', [laptop, user], 9), claim('observed', [laptop, user], 8, 'app')];
    expect((await link(log, [2])).versions.map(({ version }) => version)).toEqual([2]);
  });

  test('a device that turns out to be shared lets go of everybody', async () => {
    const users = universe.filter(({ type }) => type === 'user_id').slice(0, 3);
    const log = [claim('observed', [laptop], 0), ...users.map((one, n) => claim('observed', [laptop, one], n + 1))];
    const { changes, profiles } = await link(log, [1]);
    const last = changes.filter(({ version }) => version === 4);
    expect(last.filter(({ kind }) => kind === 'moved').map(short)).toEqual([['moved', 'user_id 0', null, 'split']]);
    expect(changes.filter(({ reason }) => reason === 'shared')).toHaveLength(2);
    for (const one of users) expect(profiles[one.hash]).toBe(hashing.profileIdOf(one.hash));
  });
});

describe('claims that are not understood', () => {
  test('each ends with an outcome', async () => {
    const linker = memoryPartition(createLinker({ hashing, generation: 1 }), 0);
    const [one, two] = universe;
    const inputs = [
      { ...claim('withdraw', [], 1), target: 'everything' },
      { ...claim('activate_rules', [], 1), rules: '{"types":[]}' },
      claim('cannot_link', [one as never], 1),
      claim('invented', [one as never, two as never], 1),
    ].map((value) => ({ input: 'claim', key: value.claim_id, value: value as IdentityClaim | null }));
    inputs.push({ input: 'claim', key: 'gone', value: null });
    const { outcomes, rejected, emitted } = await linker.run(inputs);
    expect(outcomes).toEqual({ decision: 1, rejected: 4 });
    expect(new Set(rejected.map(({ reason }) => reason))).toEqual(new Set(['invalid_claim']));
    expect(emitted).toEqual([]);
  });
});
