/** No row may be longer: an event may have as many bytes. */
export const MOST_ROW_BYTES = 500_000;

/** A row of a file, as bytes: `bytes.subarray(start, end)`, without its line break. */
export interface Row {
  readonly end: number;
  /** Where the next row begins. */
  readonly next: number;
  readonly fault?: 'too_large' | 'wrong_quotes';
  /** False where there is no line break after it. A row that is too large may go on beyond these bytes. */
  readonly ended: boolean;
}

/** What may stand before the first row: the byte order mark of UTF-8. */
export const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** Whether a text can stand between the cells of a CSV. */
export const isDelimiter = (text: string): boolean => /^[\t!#-~]$/.test(text);

export const NEWLINE = 10;
const RETURN = 13;
const QUOTE = 34;

/**
 * The row that begins at `start`. It ends with its line, in CSV with the first line break outside of quotes. Quotes that are wrong spoil
 * their own line only, and the next one is a row again: one quote that is not closed would swallow all rows up to the next.
 * @param bytes to the end of the file, or so far that the largest row and a line break fit
 * @param delimiter of CSV, its code; undefined: a line is a row
 */
export function rowAt(bytes: Buffer, start: number, delimiter: number | undefined): Row {
  const newline = bytes.indexOf(NEWLINE, start);
  const most = start + MOST_ROW_BYTES;
  const line = spanOf(bytes, start, newline);
  if (line.end > most) return { ...line, fault: 'too_large' };
  if (delimiter === undefined || !bytes.subarray(start, line.end).includes(QUOTE)) return line;
  const end = unquotedNewline(bytes, start, delimiter, most);
  return end === undefined ? { ...line, fault: 'wrong_quotes' } : spanOf(bytes, start, end);
}

function spanOf(bytes: Buffer, start: number, newline: number): Row {
  if (newline < 0) return { end: withoutReturn(bytes, start, bytes.length), next: bytes.length, ended: false };
  return { end: withoutReturn(bytes, start, newline), next: newline + 1, ended: true };
}

const withoutReturn = (bytes: Buffer, start: number, end: number): number =>
  end > start && bytes[end - 1] === RETURN ? end - 1 : end;

/**
 * The first line break outside of quotes, -1 where the bytes end before one, and outside of quotes. Undefined where quotes are wrong (not
 * closed up to `most`, or not at the end of the field). A quote opens at the beginning of a field only.
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
