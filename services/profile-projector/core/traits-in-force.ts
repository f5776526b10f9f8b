import type { EventStitched, TraitCells, TraitFill } from '#schemas/generated/records.ts';
import { type Aggregate, aggregate } from '#shared/expressions/expression.ts';
import { cellOf } from '#shared/expressions/fold.ts';
import { keyOf, recordOfCell } from './cells.ts';

/** A version of a computed trait that events are folded into. */
export interface FoldedTrait {
  readonly key: string;
  readonly trait: string;
  readonly version: number;
  readonly asked: Aggregate;
  /** Whether history has been folded, too. */
  readonly complete: boolean;
}

/** A version as its definition says it. */
export interface WantedTrait {
  readonly trait: string;
  readonly version: number;
  /** JSON text. */
  readonly compute: string;
}

/**
 * What is to change, once these are wanted. A version is folded from when it is first seen, and told when it is complete; until then the one
 * before it is. What somebody has seen a later version of is not wanted any more.
 */
export function reconciled(
  folded: readonly TraitFill[],
  wanted: readonly WantedTrait[],
): { readonly begin: readonly WantedTrait[]; readonly end: readonly TraitFill[] } {
  const newest = new Map<string, TraitFill>();
  const complete = new Map<string, number>();
  for (const one of folded) {
    if (one.version > (newest.get(one.trait)?.version ?? 0)) newest.set(one.trait, one);
    if (one.complete) complete.set(one.trait, Math.max(one.version, complete.get(one.trait) ?? 0));
  }
  const begin = wanted.filter(({ trait, version }) => version > (newest.get(trait)?.version ?? 0));
  const beginning = new Map(begin.map(({ trait, version }) => [trait, version]));
  const names = new Set(wanted.map(({ trait }) => trait));
  const end = folded.filter(({ trait, version }) => {
    if (!names.has(trait)) return true;
    const told = complete.get(trait) ?? 0;
    const latest = beginning.get(trait) ?? newest.get(trait)?.version ?? 0;
    return version !== latest && version !== told;
  });
  return { begin, end };
}

/** Questions by their text: there are few, and each batch has the same. */
const parsed = new Map<string, Aggregate>();

export function askedOf(compute: string): Aggregate {
  const known = parsed.get(compute);
  if (known) return known;
  const asked = aggregate.parse(JSON.parse(compute));
  if (parsed.size > 1_000) parsed.clear();
  parsed.set(compute, asked);
  return asked;
}

export const foldedOf = ({ trait, version, compute, complete }: TraitFill): FoldedTrait => ({
  key: keyOf({ trait, version }),
  trait,
  version,
  complete,
  asked: askedOf(compute),
});

/** Finds the traits that an event may count for. */
export class TraitsByEvent {
  readonly #named = new Map<string, FoldedTrait[]>();
  readonly #others: FoldedTrait[] = [];

  constructor(traits: readonly FoldedTrait[]) {
    for (const one of traits) {
      const { event } = one.asked.of;
      if (event === undefined) this.#others.push(one);
      for (const name of event === undefined ? [] : [event].flat())
        this.#named.set(name, [...(this.#named.get(name) ?? []), one]);
    }
  }

  /** What is kept of an event, of each trait that it counts for. @param isFolded whether it counts for this one */
  cellsOf(
    event: Pick<EventStitched, 'type' | 'event' | 'source' | 'message_id' | 'timestamp' | 'payload'>,
    isFolded: (trait: FoldedTrait) => boolean = () => true,
  ): TraitCells[] {
    const named = event.event === null ? undefined : this.#named.get(event.event);
    if (!named && this.#others.length === 0) return [];
    const cells: TraitCells[] = [];
    let payload: unknown;
    for (const traits of [named ?? [], this.#others]) {
      for (const one of traits) {
        if (!isFolded(one)) continue;
        payload ??= parsedPayload(event.payload);
        const cell = cellOf(one.asked, event, payload);
        if (!cell) continue;
        const { trait, version, asked } = one;
        cells.push({ trait, version, aggregate: asked.aggregate, cells: [recordOfCell(cell)] });
      }
    }
    return cells;
  }
}

function parsedPayload(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
