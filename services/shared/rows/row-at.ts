/** No row may be longer: an event may have as many bytes. */
export const MOST_ROW_BYTES = 500_000;

/** A row of a file, as bytes: `bytes.subarray(start, end)`, without its line break. */
export interface Row {
  readonly end: number;
  /** Where the next row begins. */
  readonly next: number;
  readonly fault?: 'too_large' | 'wrong_quotes';
  /** False where its line goes on beyond these bytes: it is too large, and what is left of it is no row. */
  readonly ended: boolean;
}

const NEWLINE = 10;
const RETURN = 13;
const QUOTE = 34;

/**
 * The row that begins at `start`. It ends with its line, in CSV with the first line break outside of quotes. Quotes that are wrong spoil
 * their own line only, and the next one is a row again: one quote that is not closed would swallow all rows up to the next.
 * @param delimiter of CSV, its code; undefined: a line is a row
 * @param isAll whether the file ends with these bytes
 * @returns undefined where more bytes are needed to tell; never when two more than the largest row are there
 */
export function rowAt(bytes: Buffer, start: number, delimiter: number | undefined, isAll: boolean): Row | undefined {
  const newline = bytes.indexOf(NEWLINE, start);
  const most = start + MOST_ROW_BYTES;
  // One more for a carriage return, which may be all that is over.
  if (newline < 0 && !isAll && bytes.length <= most + 1) return undefined;
  const line = spanOf(bytes, start, newline);
  if (line.end > most) return { ...line, fault: 'too_large', ended: newline >= 0 || isAll };
  if (delimiter === undefined || !bytes.subarray(start, line.end).includes(QUOTE)) return { ...line, ended: true };
  const end = unquotedNewline(bytes, start, delimiter, most);
  if (end !== undefined && (end >= 0 || isAll)) return { ...spanOf(bytes, start, end), ended: true };
  return isAll || bytes.length > most ? { ...line, fault: 'wrong_quotes', ended: true } : undefined;
}

function spanOf(bytes: Buffer, start: number, newline: number): { end: number; next: number } {
  if (newline < 0) return { end: withoutReturn(bytes, start, bytes.length), next: bytes.length };
  return { end: withoutReturn(bytes, start, newline), next: newline + 1 };
}

const withoutReturn = (bytes: Buffer, start: number, end: number): number =>
  end > start && bytes[end - 1] === RETURN ? end - 1 : end;

/**
 * The first line break outside of quotes, -1 where the bytes end before one, and outside of quotes. Undefined where quotes are wrong (not
 * closed up to `most`, or more after the closing one than the field's end), or still open. A quote opens at the beginning of a field only.
 */
function unquotedNewline(bytes: Buffer, start: number, delimiter: number, most: number): number | undefined {
  const end = Math.min(bytes.length, most + 1);
  let opens = true;
  for (let i = start; i < end; i++) {
    const code = bytes[i];
    if (code === NEWLINE) return i;
    if (code === QUOTE && opens) {
      i = bytes.indexOf(QUOTE, i + 1);
      while (i >= 0 && bytes[i + 1] === QUOTE) i = bytes.indexOf(QUOTE, i + 2);
      if (i < 0 || i >= end || !endsField(bytes[i + 1], delimiter)) return undefined;
      opens = false;
    } else opens = code === delimiter;
  }
  return bytes.length <= most ? -1 : undefined;
}

const endsField = (next: number | undefined, delimiter: number): boolean =>
  next === undefined || next === delimiter || next === NEWLINE || next === RETURN;
