import type { PlaceCells, TraitCell, TraitCells } from '#schemas/generated/records.ts';
import type { Stores, Work } from '#shared/task/task.ts';
import {
  bytesOfCell,
  cellsKeyOf,
  gathered,
  type Kept,
  type PartName,
  partIn,
  together,
  united,
  withinBytes,
  withinWindow,
  withPart,
} from './core/cells.ts';
import { none } from './core/sorted.ts';
import type { Part } from './core/traits-in-force.ts';

export const placeStores = {
  /** By place: profile id/hash of the identifier. */
  place: { record: 'PlaceCells' },
  /** By place/trait@version/part: those that are too large to stand with the others. */
  cells: { record: 'TraitCells' },
} as const satisfies Stores;

/*
 * What stands together is written at each event, so it is to be little: so many parts of a place, of so many cells, of so many bytes. It is
 * seen when cells come, and only these are measured. What once stands apart does so until it is gone.
 */
const MOST_PARTS = 24;
const MOST_CELLS = 40;
const MOST_BYTES_OF_A_CELL = 400;

/** What a part is kept for. */
type KeptFor = Pick<Part, 'asked'> & { readonly of: Pick<Part['of'], 'zone'> };

const areSmall = (cells: readonly TraitCell[]): boolean =>
  cells.every((cell) => bytesOfCell(cell) <= MOST_BYTES_OF_A_CELL);

const nothing: PlaceCells = Object.freeze({ parts: none, apart: none });

/** What is kept for computed traits, by place, during a batch: small parts of a place are one record, large ones have their own. */
export class Places {
  readonly #work: Work<typeof placeStores>;
  readonly #partOf: (part: PartName) => KeptFor | undefined;
  /** Places that were read, as they are. */
  readonly #held = new Map<string, PlaceCells>();

  /** @param partOf what a part is kept for; undefined where that is not known */
  constructor(work: Work<typeof placeStores>, partOf: (part: PartName) => KeptFor | undefined) {
    this.#work = work;
    this.#partOf = partOf;
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
    let held = this.#heldAt(place);
    for (const part of came) {
      const all = together(this.part(place, part), part);
      const of = this.#partOf(part);
      const within = of ? this.#trimmed(withinBytes(all, of.asked, part.cells), of) : all;
      held = this.#with(place, held, within, areSmall(part.cells));
    }
    this.#put(place, held);
  }

  /** Removes what no window will hold any more. */
  trim(place: string): void {
    let held = this.#heldAt(place);
    for (const part of this.#all(place)) {
      const of = this.#partOf(part);
      const within = of ? this.#trimmed(part, of) : part;
      if (within !== part) held = this.#with(place, held, within);
    }
    this.#put(place, held);
  }

  /** Takes parts away. */
  take(place: string, which: (part: PartName) => boolean = () => true): Kept {
    const taken = this.#all(place).filter(which);
    let held = this.#heldAt(place);
    for (const part of taken) held = this.#with(place, held, { ...part, cells: none });
    this.#put(place, held);
    return taken;
  }

  #trimmed(held: TraitCells, { asked, of }: KeptFor): TraitCells {
    return withinWindow(held, asked, this.#work.moment.now, of.zone);
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

  /**
   * With this in the place of what there was of the part; without it, where it has no cells. It is written down, where it stands apart.
   * @param isSmall whether what came to it is
   */
  #with(place: string, held: PlaceCells, part: TraitCells, isSmall = true): PlaceCells {
    const { parts, apart } = held;
    const known = partIn(parts, part);
    const key = known && isSmall ? '' : cellsKeyOf(part);
    const isApart = !known && apart.includes(key);
    const hasRoom = part.cells.length <= MOST_CELLS && (known !== undefined || parts.length < MOST_PARTS);
    if (part.cells.length === 0) {
      if (isApart) this.#work.remove('cells', `${place}/${key}`);
      return isApart
        ? { parts, apart: apart.filter((one) => one !== key) }
        : { parts: parts.filter((one) => one !== known), apart };
    }
    if (isSmall && hasRoom && !isApart) return { parts: withPart(parts, part), apart };
    this.#work.put('cells', `${place}/${cellsKeyOf(part)}`, part);
    if (isApart) return held;
    return { parts: parts.filter((one) => one !== known), apart: [...apart, cellsKeyOf(part)] };
  }

  #put(place: string, held: PlaceCells): void {
    const before = this.#heldAt(place);
    if (held === before) return;
    this.#held.set(place, held);
    if (held.parts.length + held.apart.length > 0) this.#work.put('place', place, held);
    else if (before !== nothing) this.#work.remove('place', place);
  }
}
