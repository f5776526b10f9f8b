/** What the collector answers of a slice. */
export interface SliceAnswer {
  readonly accepted: number;
  readonly rejected: number;
  /** Not kept, as the source wishes. */
  readonly dropped: number;
  /** How many were accepted with a flag, such as `no_timestamp`. */
  readonly flags: Counts;
  /** Each that was rejected. */
  readonly rows: readonly BadRow[];
}
export interface BadRow {
  readonly row: number;
  readonly code: string;
  /** Nothing of what the row holds. */
  readonly message: string;
}
type Counts = Readonly<Record<string, number>>;

/** What became of the rows so far. */
export interface Totals {
  readonly accepted: number;
  readonly rejected: number;
  readonly dropped: number;
  readonly codes: Counts;
  readonly flags: Counts;
}
export const NONE: Totals = { accepted: 0, rejected: 0, dropped: 0, codes: {}, flags: {} };

export const plus = (totals: Totals, { accepted, rejected, dropped, flags, rows }: SliceAnswer): Totals => ({
  accepted: totals.accepted + accepted,
  rejected: totals.rejected + rejected,
  dropped: totals.dropped + dropped,
  codes: added(
    totals.codes,
    Object.fromEntries(
      Map.groupBy(rows, ({ code }) => code)
        .entries()
        .map(([code, { length }]) => [code, length]),
    ),
  ),
  flags: added(totals.flags, flags),
});

const added = (a: Counts, b: Counts): Counts => {
  const sum: Record<string, number> = { ...a };
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
};

export const countsText = (counts: Counts): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
