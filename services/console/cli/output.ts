/** What a command has to say. */
export interface Output {
  /** For `--json`. */
  readonly json: unknown;
  readonly text: string;
  /** 0 when left out; 3: done, but for a part that is the asker's to mend. */
  readonly exitCode?: number;
}

/** For a command that speaks while it runs. */
export interface Speech {
  readonly json: boolean;
  /** Writes a line. */
  readonly say: (text: string) => void;
}

/** Rows in columns, with a heading; numbers stand to the right. */
export function table(
  heading: readonly string[],
  rows: readonly (readonly (string | number | null | undefined)[])[],
): string {
  if (rows.length === 0) return '';
  const cells = [heading, ...rows.map((row) => row.map((cell) => String(cell ?? '')))];
  const widths = heading.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  const isNumber = heading.map((_, i) => rows.every((row) => typeof row[i] === 'number'));
  return cells
    .map((row) =>
      row
        .map((cell, i) => (isNumber[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
