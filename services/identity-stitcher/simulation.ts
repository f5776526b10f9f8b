import type { EventCollected, EventStitched, IdentityClaim, IdentityMapping } from '#schemas/generated/records.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import type { Hashing } from '#shared/identity/hashing.ts';
import type { Caps } from '#shared/identity/linking/graph.ts';
import { type MemoryInput, type MemoryPartition, memoryPartition } from '#shared/task/memory.ts';
import { createLinker } from './linker.ts';
import { createResolver } from './resolver.ts';

export interface SimulationOptions {
  readonly hashing: Hashing;
  readonly partitions: number;
  readonly definitions?: Definitions;
  readonly caps?: Caps;
}

/** The whole stitcher with topics in memory, one step at a time, in whatever order a test wants. */
export class Simulation {
  readonly claims: IdentityClaim[] = [];
  readonly stitched: EventStitched[] = [];
  readonly mappings = new Map<string, IdentityMapping>();
  /** Outcomes of events and mappings, by name. */
  readonly outcomes: Record<string, number> = {};
  readonly #options: SimulationOptions;
  readonly #definitions: Definitions;
  readonly #resolvers: MemoryPartition[];
  #linker: MemoryPartition;
  /** Per partition what its resolver has not read: events and mappings. */
  readonly #waiting: { readonly events: MemoryInput[]; readonly mappings: MemoryInput[] }[];
  #linked = 0;
  #linkerGoesOn = false;
  #collected = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#definitions = options.definitions ?? new Definitions();
    this.#resolvers = Array.from({ length: options.partitions }, (_, partition) => this.#newResolver(partition));
    this.#linker = this.#newLinker();
    this.#waiting = this.#resolvers.map(() => ({ events: [], mappings: [] }));
  }

  collect(event: EventCollected): void {
    const hash = event.identifiers[0]?.hash ?? '';
    this.#waiting[this.#partitionOf(hash)]?.events.push({
      input: 'event',
      key: hash,
      value: event,
      offset: this.#collected++,
    });
  }

  /** What people and rules add to what the resolvers claim. */
  claim(claim: IdentityClaim): void {
    this.claims.push(claim);
  }

  /** One resolver takes some of what waits: mappings first or events first. */
  async resolve(partition: number, size: number, mappingsFirst: boolean): Promise<void> {
    const waiting = this.#waiting[partition] as { events: MemoryInput[]; mappings: MemoryInput[] };
    const [first, second] = mappingsFirst ? [waiting.mappings, waiting.events] : [waiting.events, waiting.mappings];
    const taken = first.splice(0, size);
    const batch = [...taken, ...second.splice(0, size - taken.length)];
    const { emitted, outcomes, rejected } = await (this.#resolvers[partition] as MemoryPartition).run(batch);
    if (rejected.length > 0) throw new Error(`the resolver rejected: ${rejected[0]?.reason}`);
    for (const [outcome, count] of Object.entries(outcomes)) {
      this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + count;
    }
    for (const { output, value } of emitted) {
      if (output === 'claim') this.claims.push(value as IdentityClaim);
      else this.stitched.push(value as EventStitched);
    }
  }

  /** The linker takes some of the claims that wait. */
  async link(size: number): Promise<void> {
    const from = this.#linked;
    const batch = this.claims.slice(from, from + size);
    this.#linked += batch.length;
    const { emitted, rejected, goesOn } = await this.#linker.run(
      batch.map((value, n) => ({ input: 'claim', key: value.claim_id, value, offset: from + n })),
      this.#definitions,
    );
    if (rejected.length > 0) throw new Error(`the linker rejected: ${rejected[0]?.reason}`);
    this.#linkerGoesOn = goesOn;
    for (const { output, value } of emitted) {
      if (output !== 'mapping') continue;
      const mapping = value as IdentityMapping;
      this.mappings.set(mapping.hash, mapping);
      this.#waiting[this.#partitionOf(mapping.hash)]?.mappings.push({
        input: 'mapping',
        key: mapping.hash,
        value: mapping,
        offset: mapping.version,
      });
    }
  }

  /** Everything that waits, in batches. */
  async drain(size = 1_000): Promise<void> {
    const isOpen = (): boolean =>
      this.#linkerGoesOn ||
      this.#linked < this.claims.length ||
      this.#waiting.some((w) => w.events.length + w.mappings.length > 0);
    while (isOpen()) {
      for (const partition of this.#waiting.keys()) await this.resolve(partition, size, true);
      await this.link(size);
    }
  }

  /** The partition's resolver dies and comes back with nothing but its stores. */
  restartResolver(partition: number): void {
    const before = this.#resolvers[partition] as MemoryPartition;
    this.#resolvers[partition] = restored(before, this.#newResolver(partition), ['resolution', 'seen', 'sighting']);
  }

  restartLinker(): void {
    this.#linker = restored(this.#linker, this.#newLinker(), ['node', 'link', 'claim', 'withdrawal', 'linking']);
    this.#linkerGoesOn = true;
  }

  /** Profile of an identifier as its mappings say. */
  profileOf(hash: string): string {
    return this.mappings.get(hash)?.profile_id ?? this.#options.hashing.profileIdOf(hash);
  }

  readonly #newResolver = (partition: number): MemoryPartition =>
    memoryPartition(createResolver({ hashing: this.#options.hashing, generation: 1 }), partition);

  readonly #newLinker = (): MemoryPartition => memoryPartition(createLinker({ generation: 1, ...this.#options }), 0);

  readonly #partitionOf = (hash: string): number => Number.parseInt(hash.slice(0, 8), 16) % this.#options.partitions;
}

/** `next` with the stores of `before`, as its changelog would bring them back. */
export function restored(before: MemoryPartition, next: MemoryPartition, stores: readonly string[]): MemoryPartition {
  next.state.apply({ changes: new Map(stores.map((store) => [store, new Map(before.entries(store))])) } as never);
  return next;
}
