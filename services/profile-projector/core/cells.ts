import type { TraitCell, TraitCells } from '#schemas/generated/records.ts';
import { type Aggregate, isPartOfTime, timesOf } from '#shared/expressions/expression.ts';
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
 * of more texts about as long as each other than fit, the smaller stay, since those before them only get more. (Were long and short ones
 * cut together, one that was cut would leave room for a larger one, when that comes later.) What is too long is left out.
 */

/** UTF-8 bytes of the texts of all cells together, of each length; of one cell at most and at least. */
const MOST_BYTES = 64_000;
const MOST_OF_A_CELL = 32_000;
const LEAST_OF_A_CELL = 120;
/** Texts of up to so many bytes are cut together. */
const LENGTHS = [32, 128, 512, limits.traitValueBytes];

/** How many bytes of texts of each length are kept of an hour, a day or all time. */
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
  return fitting(texts, bytesOfACell(asked)) === texts;
}

/** Without texts beyond the limit; hours and weekdays are few enough. @param changed the cells of those moments may have more than it */
export function withinBytes(held: TraitCells, asked: Aggregate, changed = held.cells): TraitCells {
  if (!isOfTexts(asked)) return held;
  const most = bytesOfACell(asked);
  let { cells } = held;
  for (const { from } of changed) {
    const at = cells.findLastIndex((cell) => cell.from === from);
    const cell = cells[at] as TraitCell;
    const texts = fitting(cell.texts, most);
    if (texts !== cell.texts) cells = cells.with(at, { ...cell, texts });
  }
  return cells === held.cells ? held : { ...held, cells };
}

const isOfTexts = (asked: Aggregate): boolean =>
  (asked.aggregate === 'uniqueCount' || asked.aggregate === 'uniqueList' || asked.aggregate === 'mostFrequent') &&
  !isPartOfTime(asked.value);

/** Without what no window will hold any more. @param now milliseconds */
export function withinWindow(
  held: TraitCells,
  { within }: Pick<Aggregate, 'within'>,
  now: number,
  zone: string,
): TraitCells {
  if (!within) return held;
  const [from] = timesOf(within, now, zone);
  const { cells } = held;
  let dead = 0;
  while (dead < cells.length && (cells[dead] as TraitCell).from < from) dead++;
  return dead === 0 ? held : { ...held, cells: cells.slice(dead) };
}

/** Of each length the first texts, so many that they take no more bytes. */
function fitting(texts: TraitCell['texts'], most: number): TraitCell['texts'] {
  const room = LENGTHS.map((length) => Math.floor(most / length));
  const kept = texts.filter(({ text }) => {
    const bytes = text.length * 3 <= (LENGTHS[0] as number) ? 0 : Buffer.byteLength(text);
    const at = LENGTHS.findIndex((length) => bytes <= length);
    const left = room[at] ?? 0;
    room[at] = left - 1;
    return left > 0;
  });
  return kept.length === texts.length ? texts : kept;
}

/** A text's count and length. */
const BESIDE_A_TEXT = 4;

function mostBytesOf(texts: TraitCell['texts']): number {
  let bytes = 0;
  for (const { text } of texts) bytes += BESIDE_A_TEXT + text.length * 3;
  return bytes;
}

/** How many bytes they take as a record, at most. */
export function bytesOf({ trait, aggregate, cells }: TraitCells): number {
  let bytes = 20 + trait.length * 3 + aggregate.length;
  for (const cell of cells) bytes += bytesOfCell(cell);
  return bytes;
}

export function bytesOfCell({ micros, sighting, texts }: TraitCell): number {
  const bytes = 40 + (micros?.length ?? 0) + mostBytesOf(texts);
  if (!sighting) return bytes;
  return bytes + 20 + (sighting.value.length + sighting.message_id.length + sighting.source.length) * 3;
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
