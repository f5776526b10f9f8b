import type { TraitCells } from '#schemas/generated/records.ts';
import { type Aggregate, isPartOfTime, timesOf } from '#shared/expressions/expression.ts';
import { merge } from '#shared/expressions/fold.ts';

/** A version of a computed trait, as the cells of it are named. */
export const keyOf = ({ trait, version }: { readonly trait: string; readonly version: number }): string =>
  `${trait}@${version}`;

/** An aggregate of it. */
export const cellsKeyOf = (cells: Pick<TraitCells, 'trait' | 'version' | 'part'>): string =>
  `${keyOf(cells)}/${cells.part}`;

/** Most texts that are kept of all cells of a trait, of one at most and at least; of more the smaller stay. */
const MOST_TEXTS = 3_000;
const MOST_OF_A_CELL = 1_000;
const FEWEST_OF_A_CELL = 10;
const HOURS_OF_A_DAY = 24;

/** How many texts are kept of an hour, a day or all time. */
export function mostTexts(asked: Aggregate): number {
  const { within } = asked;
  if (!within) return MOST_OF_A_CELL;
  if ('value' in asked && isPartOfTime(asked.value)) return HOURS_OF_A_DAY;
  const cells = 'days' in within ? within.days : within.hours;
  return Math.min(MOST_OF_A_CELL, Math.max(FEWEST_OF_A_CELL, Math.floor(MOST_TEXTS / cells)));
}

/** What is kept of a trait, and a part that comes to it. */
export function together(kept: TraitCells | undefined, part: TraitCells): TraitCells {
  if (!kept || kept.cells.length === 0) return part;
  // How cells are put together depends on nothing else.
  const asked = { aggregate: part.aggregate as Aggregate['aggregate'] };
  return { ...part, cells: merge(asked, kept.cells, part.cells) };
}

/** The same in a collection, by trait@version/part. */
export function addTo(collection: Map<string, TraitCells>, part: TraitCells): void {
  const key = cellsKeyOf(part);
  collection.set(key, together(collection.get(key), part));
}

/** Without what no window will hold any more, and without texts beyond the limit. @param now milliseconds */
export function trimmed(held: TraitCells, asked: Aggregate, now: number, zone: string): TraitCells {
  const from = asked.within ? timesOf(asked.within, now, zone)[0] : 0;
  const most = mostTexts(asked);
  if (held.cells.every((cell) => cell.from >= from && cell.texts.length <= most)) return held;
  return {
    ...held,
    cells: held.cells
      .filter((cell) => cell.from >= from)
      .map((cell) => (cell.texts.length > most ? { ...cell, texts: cell.texts.slice(0, most) } : cell)),
  };
}

/** About how many bytes they take as a record. */
export function bytesOf({ cells }: TraitCells): number {
  let bytes = 100;
  for (const { sighting, texts } of cells) {
    bytes += 50 + (sighting ? 100 + sighting.value.length * 3 : 0);
    for (const { text } of texts) bytes += 4 + text.length * 3;
  }
  return bytes;
}
