import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { IdentityChange, IdentityMapping, Node, Resolution, Role } from '#schemas/generated/records.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { claims, hashing, identifier, inBatches } from '#shared/identity/linking/arbitrary.fixture.ts';
import { type MemoryInput, type MemoryPartition, memoryPartition } from '#shared/task/memory.ts';
import { resolutionAfter } from './core/resolutions.ts';
import { createLinker } from './linker.ts';

const under = (rules: object): Definitions =>
  new Definitions([
    { kind: 'identity_rules', name: 'default', version: 1, body: definitionKinds.identity_rules.parse(rules) },
  ]);
/** Two generations that do not agree on who is who, nor on who is in quarantine. */
const strict = under({
  types: [
    { type: 'user_id', limit: 1 },
    { type: 'email', limit: 2 },
    { type: 'device_id', limit: 2, links: 'weak' },
  ],
  sharedFrom: 3,
});
const loose = under({ types: [{ type: 'user_id', limit: 3 }], sharedFrom: 6, mostIdentifiers: 3 });
const definitionsOf = { 1: strict, 2: loose } as const;
type G = keyof typeof definitionsOf;

class World {
  readonly mappings: IdentityMapping[] = [];
  readonly resolutions = new Map<string, Resolution>();
  readonly guarded = new Set<string>();
  readonly discovered = new Set<string>();
  readonly own = { 1: new Map<string, IdentityMapping>(), 2: new Map<string, IdentityMapping>() };
  live: G = 1;
  edition = 1;
  readonly #linkers = { 1: linkerOf(1), 2: linkerOf(2) };
  readonly #roles: Record<G, Role | undefined> = { 1: undefined, 2: undefined };
  readonly #goesOn = { 1: false, 2: false };

  async take(generation: G, inputs: readonly MemoryInput[]): Promise<void> {
    const run = await this.#linkers[generation].run(inputs, definitionsOf[generation]);
    expect(run.rejected).toEqual([]);
    this.#goesOn[generation] = run.goesOn;
    for (const { output, value } of run.emitted) {
      if (output === 'role') this.#roles[generation] = value as Role;
      else if (output === 'ownMapping')
        this.own[generation].set((value as IdentityMapping).hash, value as IdentityMapping);
      else if (output === 'change') this.#change(value as IdentityChange);
      else if (output === 'mapping') this.#map(value as IdentityMapping);
    }
  }

  async rest(generation: G): Promise<void> {
    while (this.#goesOn[generation]) await this.take(generation, []);
  }

  /** @param meanwhile what comes between two steps @param again it is interrupted, and begins anew */
  async switch(meanwhile: () => Promise<void>, again: boolean): Promise<void> {
    const edition = this.edition + 1;
    this.edition = edition;
    const next: G = this.live === 1 ? 2 : 1;
    const control = (key: string, said: object): MemoryInput => ({
      input: 'control',
      key,
      value: { edition, profile: null, mapping: null, ...said },
    });
    await this.take(this.live, [control('all', { kind: 'yield' })]);
    expect(this.#roles[this.live]).toMatchObject({ role: 'quiet', edition });
    await meanwhile();
    for (let times = again ? 2 : 1; times > 0; times--) {
      const newest = new Map(this.mappings.map((mapping) => [mapping.hash, mapping]));
      const published = [
        ...[...newest].map(([hash, mapping]) => control(hash, { kind: 'published', mapping })),
        ...[...this.guarded].map((id) =>
          control(id, { kind: 'published', profile: { profile_id: id, identifiers: [identifier('user_id', 'some')] } }),
        ),
      ];
      for (const batch of inBatches(published, [2, 5])) {
        await this.take(next, batch);
        await meanwhile();
      }
    }
    await this.take(next, [control('all', { kind: 'end' })]);
    await meanwhile();
    await this.rest(next);
    await this.rest(this.live);
    expect(this.#roles[next]).toMatchObject({ role: 'live', edition });
    this.live = next;
  }

  nodes(generation: G): Node[] {
    return this.#linkers[generation].entries('node').map(([, node]) => node as Node);
  }

  /** Versions of one identifier rise: else whoever resolves would not hear of the new place. */
  #map(mapping: IdentityMapping): void {
    const known = this.resolutions.get(mapping.hash);
    const resolution = resolutionAfter(known, mapping);
    expect(resolution, `${mapping.version} after ${known?.version}`).not.toBe('stale');
    this.resolutions.set(mapping.hash, resolution as Resolution);
    expect(mapping.edition).toBeLessThanOrEqual(this.edition);
    this.mappings.push(mapping);
  }

  #change({ kind, profile_id, identifier: { hash } }: IdentityChange): void {
    if (kind === 'discovered') {
      expect(profile_id).toBe(hashing.profileIdOf(hash));
      this.discovered.add(hash);
    }
    if (kind === 'quarantined') this.guarded.add(profile_id);
    if (kind === 'released') this.guarded.delete(profile_id);
  }
}

const linkerOf = (generation: G): MemoryPartition =>
  memoryPartition(createLinker({ hashing, generation, quiet: generation === 2, ownRules: true, sweptAtOnce: 3 }), 0);

test('after any number of switches, whatever comes meanwhile, resolvers know the places of the live generation, and what is in quarantine', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });
  const switches = fc.array(fc.tuple(fc.nat(12), fc.boolean()), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(claims, sizes, switches, async (log, sizes, switches) => {
      const world = new World();
      // Offsets of a generation with claims of its own are others.
      const inputsOf = (generation: G): MemoryInput[][] =>
        inBatches(
          log.map((value, n) => ({ input: 'claim', key: value.claim_id, value, offset: generation === 1 ? n * 7 : n })),
          sizes,
        );
      const waiting = { 1: inputsOf(1), 2: inputsOf(2) };
      const go = async (generation: G): Promise<void> => {
        const batch = waiting[generation].shift();
        if (batch) await world.take(generation, batch);
        else await world.rest(generation);
      };
      for (const [before, again] of switches) {
        for (let n = 0; n < before; n++) await go(n % 3 === 0 ? 2 : 1);
        let turn = 0;
        await world.switch(() => go(turn++ % 2 === 0 ? 1 : 2), again);
      }
      for (const generation of [1, 2] as const) {
        while (waiting[generation].length > 0) await go(generation);
        await world.rest(generation);
      }
      const nodes = world.nodes(world.live);
      const homes = new Map(nodes.map(({ identifier: { hash } }) => [hash, hashing.profileIdOf(hash)]));
      for (const { identifier, profile_id } of nodes) {
        const { hash } = identifier;
        const resolution = world.resolutions.get(hash);
        expect(resolution?.profile_id ?? homes.get(hash)).toBe(profile_id);
        if (resolution) expect(resolution.generation).toBe(world.live);
      }
      expect([...world.discovered].sort()).toEqual([...homes.keys()].sort());
      const inQuarantine = nodes.filter(({ quarantine }) => quarantine !== null);
      expect([...world.guarded].sort()).toEqual(inQuarantine.map(({ identifier: { hash } }) => homes.get(hash)).sort());
      const other: G = world.live === 1 ? 2 : 1;
      for (const { identifier, profile_id, version } of world.nodes(other))
        if (version > 0) expect(world.own[other].get(identifier.hash)?.profile_id).toBe(profile_id);
    }),
    { numRuns: 300 },
  );
});
