import type { EventStitched, TraitCells, TraitFill } from '#schemas/generated/records.ts';
import { aggregatesIn } from '#shared/expressions/condition.ts';
import { type Aggregate, type Expression, isAggregate, isPartOfTime } from '#shared/expressions/expression.ts';
import { cellOf } from '#shared/expressions/fold.ts';
import { parseExpression } from '#shared/expressions/parse.ts';
import { readJson } from '#shared/expressions/read-json.ts';
import { isZone } from '#shared/expressions/zone.ts';
import { EVERYTHING } from '#shared/generations/rebuilt.ts';
import { isShort, type Kept, keyOf, type PartName, withinBytes } from './cells.ts';
import { none } from './sorted.ts';

/** A version of a computed trait that events are folded into. */
export interface FoldedTrait {
  readonly key: string;
  readonly trait: string;
  readonly version: number;
  readonly asked: Expression;
  /** Time zone of its days and hours. */
  readonly zone: string;
  /** Whether it is one value from events, and no condition. */
  readonly isAggregate: boolean;
  /** What of events it needs, each with a part of its own of what is kept. */
  readonly aggregates: readonly Aggregate[];
  /** Whether history has been folded, too. */
  readonly complete: boolean;
}

/** A version as its definition says it. */
export interface WantedTrait {
  readonly trait: string;
  readonly version: number;
  /** JSON text. */
  readonly compute: string;
  readonly time_zone: string;
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

/** Each trait among them. */
export const allFolded = (fills: readonly TraitFill[]): FoldedTrait[] =>
  fills.flatMap((one) => (one.trait === EVERYTHING.trait ? [] : (foldedOf(one) ?? [])));

/** Questions by their text: there are few, and each batch has the same. */
const parsed = new Map<string, Expression | undefined>();

/** @returns undefined where this version of the software does not know what it says */
function askedOf(compute: string, zone: string): Expression | undefined {
  const text = `${zone} ${compute}`;
  if (parsed.has(text)) return parsed.get(text);
  const read = parseExpression(JSON.parse(compute));
  const asked = 'expression' in read && isZone(zone) ? read.expression : undefined;
  if (parsed.size > 1_000) parsed.clear();
  parsed.set(text, asked);
  return asked;
}

/** Undefined: this version of the software does not know what it says. */
function foldedOf({ trait, version, compute, time_zone: zone, complete }: TraitFill): FoldedTrait | undefined {
  const asked = askedOf(compute, zone);
  if (asked === undefined) return undefined;
  return {
    key: keyOf({ trait, version }),
    trait,
    version,
    complete,
    asked,
    zone,
    isAggregate: isAggregate(asked),
    aggregates: aggregatesIn(asked),
  };
}

/** An aggregate that a trait needs, which has a part of its own of what is kept. */
export interface Part {
  readonly of: FoldedTrait;
  readonly part: number;
  readonly asked: Aggregate;
}

const asksPayload = (asked: Aggregate): boolean =>
  ('value' in asked && !isPartOfTime(asked.value)) || asked.of.where !== undefined;

/** Finds the traits that an event may count for. */
export class TraitsByEvent {
  readonly #named = new Map<string, readonly Part[]>();
  /** For events of any other name. */
  readonly #others: readonly Part[];
  readonly #byTrait: ReadonlyMap<string, readonly Part[]>;

  constructor(traits: readonly FoldedTrait[]) {
    const parts = traits
      .toSorted((a, b) => (a.trait === b.trait ? a.version - b.version : a.trait < b.trait ? -1 : 1))
      .flatMap((of) => of.aggregates.map((asked, part): Part => ({ of, part, asked })));
    this.#byTrait = Map.groupBy(parts, ({ of }) => of.trait);
    const namesOf = ({ asked }: Part): readonly string[] => [asked.of.event ?? []].flat();
    this.#others = parts.filter(({ asked }) => asked.of.event === undefined);
    for (const name of new Set(parts.flatMap(namesOf)))
      this.#named.set(
        name,
        parts.filter((part) => part.asked.of.event === undefined || namesOf(part).includes(name)),
      );
  }

  /** What a part is kept for; undefined where its trait is not folded. */
  partOf({ trait, version, part }: PartName): Part | undefined {
    for (const one of this.#byTrait.get(trait) ?? none) if (one.part === part && one.of.version === version) return one;
    return undefined;
  }

  /** Without texts beyond the limits. */
  withinBytes(kept: Kept): Kept {
    return kept.map((part) => {
      const of = this.partOf(part);
      return of ? withinBytes(part, of.asked) : part;
    });
  }

  /** What is kept of an event, of each trait that it counts for. @param isFolded whether it counts for this one */
  cellsOf(
    event: Pick<EventStitched, 'type' | 'event' | 'source' | 'message_id' | 'timestamp' | 'payload'>,
    isFolded: (trait: FoldedTrait) => boolean = () => true,
  ): Kept {
    const parts = (event.event === null ? undefined : this.#named.get(event.event)) ?? this.#others;
    if (parts.length === 0) return none;
    const kept: TraitCells[] = [];
    let payload: unknown;
    for (const { of, part, asked } of parts) {
      if (asked.of.type !== undefined && asked.of.type !== event.type) continue;
      if (!isFolded(of)) continue;
      if (asksPayload(asked)) payload ??= readJson(event.payload) ?? {};
      const cell = cellOf(asked, event, payload, of.zone);
      if (!cell || !isShort(cell, asked)) continue;
      const { trait, version } = of;
      kept.push({ trait, version, part, aggregate: asked.aggregate, cells: [cell] });
    }
    return kept;
  }
}
