import { appendFileSync, closeSync, fchmodSync, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { rowAt } from '#shared/rows/row-at.ts';
import { Trouble } from '../trouble.ts';
import type { Slice } from './slices.ts';
import type { BadRow } from './totals.ts';

/** A line of JSON for each bad row of a slice, with its text. */
export function linesOf(slice: Slice, bad: readonly BadRow[], delimiter: number | undefined): string {
  const wanted = new Map(bad.map((row) => [row.row, row]));
  let lines = '';
  let at = 0;
  for (let row = slice.firstRow; wanted.size > 0 && at < slice.bytes.length; row++) {
    const span = rowAt(slice.bytes, at, delimiter);
    const one = wanted.get(row);
    if (one && wanted.delete(row))
      lines += `${JSON.stringify({ ...one, text: slice.bytes.toString('utf8', at, span.end) })}\n`;
    at = span.next;
  }
  return lines;
}

/** The file of bad rows. What is in it is personal: nobody else may read it. */
export class BadRowsFile {
  readonly #path: string;
  #bytes = 0;

  /** @param bytes what is kept of the file that is there. @throws Trouble */
  constructor(path: string, bytes: number) {
    this.#path = path;
    this.#try(() => {
      const file = openSync(path, 'a', 0o600);
      fchmodSync(file, 0o600);
      this.#bytes = Math.min(bytes, fstatSync(file).size);
      ftruncateSync(file, this.#bytes);
      closeSync(file);
    });
  }

  /** Its length. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws Trouble */
  add(lines: string): void {
    this.#try(() => appendFileSync(this.#path, lines));
    this.#bytes += Buffer.byteLength(lines);
  }

  #try(write: () => void): void {
    try {
      write();
    } catch (error) {
      throw new Trouble(`${this.#path} cannot be written (${(error as NodeJS.ErrnoException).code})`, '', 2);
    }
  }
}
