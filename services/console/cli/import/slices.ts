import { BOM, MOST_ROW_BYTES, NEWLINE, rowAt } from '#shared/rows/row-at.ts';

/** Rows of a file that are sent together. */
export interface Slice {
  /** Of a CSV: its header, with a line break. */
  readonly header: Buffer;
  readonly bytes: Buffer;
  /** Number of the first, from 1; an empty line counts, the header does not. */
  readonly firstRow: number;
  readonly rows: number;
  /** Where the next slice begins in the (unpacked) file. */
  readonly end: number;
}

/** A place in a file: the offset at which a row begins, and its number. */
export interface Place {
  readonly offset: number;
  readonly row: number;
}
export const BEGINNING: Place = { offset: 0, row: 1 };

export interface SliceLimits {
  /** Of all but the last row. */
  readonly bytes: number;
  readonly rows: number;
}
const usual: SliceLimits = { bytes: 256 * 1024, rows: 2_000 };

/**
 * Cuts a file into slices between its rows, and holds one slice and one row of it at most. Of a line that is longer than any row only so much
 * is kept that the collector refuses it.
 * @param delimiter of CSV, its code; undefined: a line is a row
 * @param from where to go on
 */
export async function* slicesOf(
  chunks: AsyncIterable<Buffer>,
  delimiter: number | undefined,
  from = BEGINNING,
  limits = usual,
): AsyncGenerator<Slice> {
  const window = new Window(chunks);
  const room = limits.bytes + MOST_ROW_BYTES + 2;
  await window.fill(room);
  if (window.bytes.subarray(0, BOM.length).equals(BOM)) window.drop(BOM.length);
  let header = Buffer.alloc(0);
  const first = delimiter === undefined ? undefined : rowAt(window.bytes, 0, delimiter);
  if (first) {
    header = Buffer.concat([window.bytes.subarray(0, first.end), Buffer.of(NEWLINE)]);
    window.drop(first.next);
    if (!first.ended) await window.dropLine();
  }
  await window.dropTo(from.offset);
  for (let { row } = from; ; ) {
    await window.fill(room);
    if (window.bytes.length === 0) return;
    const { end, rows, ended } = cut(window.bytes, delimiter, limits);
    const bytes = window.bytes.subarray(0, end);
    window.drop(end);
    if (!ended) await window.dropLine();
    yield { header, bytes, firstRow: row, rows, end: window.at };
    row += rows;
  }
}

/** As many rows as fit; one at least. */
function cut(
  bytes: Buffer,
  delimiter: number | undefined,
  limits: SliceLimits,
): { end: number; rows: number; ended: boolean } {
  let end = 0;
  let rows = 0;
  while (end < bytes.length && end < limits.bytes && rows < limits.rows) {
    const row = rowAt(bytes, end, delimiter);
    end = row.next;
    rows++;
    if (!row.ended) return { end, rows, ended: false };
  }
  return { end, rows, ended: true };
}

/** The part of a stream that is looked at. */
class Window {
  readonly #chunks: AsyncIterator<Buffer>;
  bytes: Buffer = Buffer.alloc(0);
  /** Offset of its first byte. */
  at = 0;
  #isAll = false;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Reads on until so much is there, or all. */
  async fill(least: number): Promise<void> {
    const parts = [this.bytes];
    for (let size = this.bytes.length; size < least && !this.#isAll; ) {
      const { done, value } = await this.#chunks.next();
      if (done) this.#isAll = true;
      else {
        parts.push(value);
        size += value.length;
      }
    }
    if (parts.length > 1) this.bytes = Buffer.concat(parts);
  }

  drop(bytes: number): void {
    this.bytes = this.bytes.subarray(bytes);
    this.at += bytes;
  }

  async dropTo(offset: number): Promise<void> {
    while (this.at < offset) {
      await this.fill(1);
      if (this.bytes.length === 0) return;
      this.drop(Math.min(this.bytes.length, offset - this.at));
    }
  }

  /** Up to the end of the line, or of all. */
  async dropLine(): Promise<void> {
    for (;;) {
      await this.fill(1);
      const newline = this.bytes.indexOf(NEWLINE);
      this.drop(newline < 0 ? this.bytes.length : newline + 1);
      if (newline >= 0 || (this.#isAll && this.bytes.length === 0)) return;
    }
  }
}
