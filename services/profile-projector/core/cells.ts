import type { TraitCell, TraitCells } from '#schemas/generated/records.ts';
import { type Aggregate, timesOf } from '#shared/expressions/expression.ts';
import { merge, union } from '#shared/expressions/fold.ts';
import { limits } from './limits.ts';
import { none } from './sorted.ts';

/** What of the events of an identifier is kept for computed traits: sorted by trait, version and part, one of each. A commutative monoid. */
export type Kept = readonly TraitCells[];

/** A version of a computed trait, as texts name it. */
export const keyOf = ({ trait, version }: { readonly trait: string; readonly version: number }): string =>
  `${trait}@${version}`;

/** An aggregate of it. */
export const cellsKeyOf = (cells: PartName): string => `${keyOf(cells)}/${cells.part}`;

export type PartName = Pick<TraitCells, 'trait' | 'version' | 'part'>;

const inOrder = (a: PartName, b: PartName): number =>
  a.trait !== b.trait ? (a.trait < b.trait ? -1 : 1) : a.version - b.version || a.part - b.part;

/** What is kept of a part, and more of it. */
export function together(kept: TraitCells | undefined, part: TraitCells): TraitCells {
  if (!kept || kept.cells.length === 0) return part;
  // How cells are put together depends on nothing else.
  const asked = { aggregate: part.aggregate as Aggregate['aggregate'] };
  return { ...part, cells: merge(asked, kept.cells, part.cells) };
}

/** Both. */
export const united = (a: Kept, b: Kept): Kept => union(a, b, inOrder, together);

/** The same parts in order: of what others have written. */
export const gathered = (parts: readonly TraitCells[]): Kept =>
  parts.reduce<Kept>((all, part) => united(all, [part]), none);

/** `kept` with this in the place of what it has of the part. */
export const withPart = (kept: Kept, part: TraitCells): Kept => union(kept, [part], inOrder, (_, other) => other);

export function partIn(kept: Kept, { trait, version, part }: PartName): TraitCells | undefined {
  for (const one of kept) if (one.part === part && one.version === version && one.trait === trait) return one;
  return undefined;
}

/*
 * How much is kept of an aggregate is limited so that it stays well below what a record may hold, and looks only at the set of events:
 * of more texts than fit the smaller ones stay, which are complete, since those before them only get more; and what an event says at
 * too great length is left out of `first` and `last`.
 */

/** UTF-8 bytes of the texts of all cells together; of one at most and at least. */
const MOST_BYTES = 64_000;
const MOST_OF_A_CELL = 32_000;
const LEAST_OF_A_CELL = 120;
/** A text's count and length. */
const BESIDE_A_TEXT = 4;

/** How many bytes of texts are kept of an hour, a day or all time. */
export function bytesOfACell({ within }: Pick<Aggregate, 'within'>): number {
  if (!within) return MOST_OF_A_CELL;
  const cells = 'days' in within ? within.days : within.hours;
  return Math.min(MOST_OF_A_CELL, Math.max(LEAST_OF_A_CELL, Math.floor(MOST_BYTES / cells)));
}

/** Whether what an event says is short enough to be kept. */
export function isShort({ sighting, texts }: TraitCell, asked: Aggregate): boolean {
  if (sighting) {
    const { value, message_id, source } = sighting;
    const bytes = Buffer.byteLength(value) + Buffer.byteLength(message_id) + Buffer.byteLength(source);
    return bytes <= Math.min(limits.traitValueBytes, bytesOfACell(asked));
  }
  return texts.length === 0 || fitting(texts, bytesOfACell(asked)) > 0;
}

/** Without texts beyond the limit. @param changed the cells of those moments may have more than it */
export function withinBytes(held: TraitCells, asked: Aggregate, changed = held.cells): TraitCells {
  if (!isOfTexts(asked)) return held;
  const most = bytesOfACell(asked);
  let { cells } = held;
  for (const { from } of changed) {
    const at = cells.findLastIndex((cell) => cell.from === from);
    const cell = cells[at] as TraitCell;
    const fit = fitting(cell.texts, most);
    if (fit < cell.texts.length) cells = cells.with(at, { ...cell, texts: cell.texts.slice(0, fit) });
  }
  return cells === held.cells ? held : { ...held, cells };
}

const isOfTexts = ({ aggregate }: Aggregate): boolean =>
  aggregate === 'uniqueCount' || aggregate === 'uniqueList' || aggregate === 'mostFrequent';

/** Without what no window will hold any more. @param now milliseconds */
export function withinWindow(held: TraitCells, { within }: Pick<Aggregate, 'within'>, now: number): TraitCells {
  if (!within) return held;
  const [from] = timesOf(within, now);
  const { cells } = held;
  let dead = 0;
  while (dead < cells.length && (cells[dead] as TraitCell).from < from) dead++;
  return dead === 0 ? held : { ...held, cells: cells.slice(dead) };
}

/** How many of the first texts fit into so many bytes. */
function fitting(texts: TraitCell['texts'], most: number): number {
  if (mostBytesOf(texts) <= most) return texts.length;
  let left = most;
  for (const [n, { text }] of texts.entries()) {
    left -= BESIDE_A_TEXT + Buffer.byteLength(text);
    if (left < 0) return n;
  }
  return texts.length;
}

function mostBytesOf(texts: TraitCell['texts']): number {
  let bytes = 0;
  for (const { text } of texts) bytes += BESIDE_A_TEXT + text.length * 3;
  return bytes;
}

/** How many bytes they take as a record, at most. */
export function bytesOf({ trait, aggregate, cells }: TraitCells): number {
  let bytes = 20 + trait.length * 3 + aggregate.length;
  for (const { micros, sighting, texts } of cells) {
    bytes += 40 + (micros?.length ?? 0) + mostBytesOf(texts);
    if (sighting) bytes += 20 + (sighting.value.length + sighting.message_id.length + sighting.source.length) * 3;
  }
  return bytes;
}

/** Of cells that travel together. */
const MOST_BYTES_OF_A_PIECE = 200_000;

/** The same in pieces that can travel. */
export function inPieces(kept: Kept): TraitCells[][] {
  const pieces: TraitCells[][] = [];
  let room = 0;
  for (const part of kept) {
    const bytes = bytesOf(part);
    if (bytes > room) {
      pieces.push([]);
      room = MOST_BYTES_OF_A_PIECE;
    }
    room -= bytes;
    pieces.at(-1)?.push(part);
  }
  return pieces;
}
