import type { PlaceCells, TraitCells } from '#schemas/generated/records.ts';
import type { Aggregate } from '#shared/expressions/expression.ts';
import type { Stores, Work } from '#shared/task/task.ts';
import {
  bytesOf,
  cellsKeyOf,
  gathered,
  type Kept,
  type PartName,
  partIn,
  together,
  trimmed,
  united,
  withParts,
} from './core/cells.ts';
import { none } from './core/sorted.ts';

export const placeStores = {
  /** By place: profile id/hash of the identifier. */
  place: { record: 'PlaceCells' },
  /** By place/trait@version/part: those that are too large to stand with the others. */
  cells: { record: 'TraitCells' },
} as const satisfies Stores;

/** Of the parts that stand together: each event writes all of them, and what is small is kept in memory. */
const MOST_BYTES_TOGETHER = 4_000;
const MOST_BYTES_OF_ONE = 1_000;

const nothing: PlaceCells = Object.freeze({ parts: none, apart: none });

/** What is kept for computed traits, by place, during a batch: small parts of a place are one record, large ones have their own. */
export class Places {
  readonly #work: Work<typeof placeStores>;
  readonly #askedOf: (part: PartName) => Aggregate | undefined;
  /** Places that were read, as they are. */
  readonly #held = new Map<string, PlaceCells>();

  /** @param askedOf what a part is kept for; undefined where that is not known */
  constructor(work: Work<typeof placeStores>, askedOf: (part: PartName) => Aggregate | undefined) {
    this.#work = work;
    this.#askedOf = askedOf;
  }

  part(place: string, name: PartName): TraitCells | undefined {
    const { parts, apart } = this.#heldAt(place);
    const part = partIn(parts, name);
    if (part || apart.length === 0) return part;
    const key = cellsKeyOf(name);
    return apart.includes(key) ? this.#work.get('cells', `${place}/${key}`) : undefined;
  }

  /** Adds to what is kept, and trims what it is added to. */
  add(place: string, came: Kept): void {
    if (came.length === 0) return;
    this.#put(
      place,
      came.map((part) => this.#trimmed(together(this.part(place, part), part))),
    );
  }

  /** Removes what no window will hold any more. */
  trim(place: string): void {
    this.#put(
      place,
      this.#all(place).flatMap((part) => {
        const left = this.#trimmed(part);
        return left === part ? [] : [left];
      }),
    );
  }

  /** Takes parts away. */
  take(place: string, which: (part: PartName) => boolean = () => true): Kept {
    const taken = this.#all(place).filter(which);
    this.#put(
      place,
      taken.map((part) => ({ ...part, cells: none })),
    );
    return taken;
  }

  #trimmed(part: TraitCells): TraitCells {
    const asked = this.#askedOf(part);
    return asked ? trimmed(part, asked, this.#work.moment.now) : part;
  }

  #heldAt(place: string): PlaceCells {
    const known = this.#held.get(place);
    if (known) return known;
    const held = this.#work.get('place', place) ?? this.#allApart(place);
    this.#held.set(place, held);
    return held;
  }

  /** Earlier versions of the software gave each part a record of its own. */
  #allApart(place: string): PlaceCells {
    const found = this.#work.scan('cells', `${place}/`);
    return found.length === 0 ? nothing : { parts: none, apart: found.map(([key]) => key.slice(place.length + 1)) };
  }

  #all(place: string): Kept {
    const { parts, apart } = this.#heldAt(place);
    if (apart.length === 0) return parts;
    return united(parts, gathered(apart.flatMap((key) => this.#work.get('cells', `${place}/${key}`) ?? [])));
  }

  /** Puts parts in the place of what there was of them. Those without cells go. */
  #put(place: string, changed: Kept): void {
    if (changed.length === 0) return;
    const held = this.#heldAt(place);
    let { apart } = held;
    if (apart.length > 0) {
      const keys = new Set(changed.map(cellsKeyOf));
      for (const key of apart) if (keys.has(key)) this.#work.remove('cells', `${place}/${key}`);
      apart = apart.filter((key) => !keys.has(key));
    }
    const parts: TraitCells[] = [];
    const large: TraitCells[] = [];
    let room = MOST_BYTES_TOGETHER;
    for (const part of withParts(held.parts, changed)) {
      if (part.cells.length === 0) continue;
      const bytes = bytesOf(part);
      const isSmall = bytes <= MOST_BYTES_OF_ONE && bytes <= room;
      if (isSmall) room -= bytes;
      (isSmall ? parts : large).push(part);
    }
    for (const part of large) this.#work.put('cells', `${place}/${cellsKeyOf(part)}`, part);
    if (large.length > 0) apart = [...apart, ...large.map(cellsKeyOf)];
    const next: PlaceCells = { parts, apart };
    this.#held.set(place, next);
    if (parts.length + apart.length > 0) this.#work.put('place', place, next);
    else if (held !== nothing) this.#work.remove('place', place);
  }
}
