import { type Books, differences, outcomesOf, putOutBy, sum } from './books.ts';
import { type Warehouse, warehouseDifferences } from './warehouse.ts';

/** What was sent and must be found again. */
export interface Expected {
  readonly sent: number;
  /** Distinct good events. */
  readonly distinct: number;
  readonly duplicates: number;
  readonly bad: number;
  readonly deliveries: number;
  /** Hundredths. */
  readonly dollarCents: bigint;
  readonly euroCents: bigint;
}

/** All that was counted, by everybody who counts. */
export interface Findings {
  readonly expected: Expected;
  readonly acknowledged: number;
  readonly prefix: string;
  readonly generation: number;
  readonly destination: string;
  readonly books: Books;
  readonly warehouse: Warehouse;
  readonly profiles: number;
  /** Sums over the profiles on the feed, in micros, by currency. */
  readonly revenue: ReadonlyMap<string, bigint>;
  /** Profiles whose versions do not rise one by one. */
  readonly unevenVersions: number;
  /** What the receiver took in: idempotency keys, and requests. */
  readonly received: { readonly keys: number; readonly requests: number; readonly refused: number };
}

const MICROS_PER_CENT = 10_000n;

/** Events besides those of the sample: somebody has tried the installation. */
export const foreignEvents = ({ expected, books, prefix }: Findings): number =>
  (outcomesOf(books, 'resolver', `${prefix}events.collected`).stitched ?? 0) - expected.distinct;

/** Everything that is not as it must be, in words; none when the sample went right. */
export function problemsIn(findings: Findings): string[] {
  const { expected, books, warehouse, prefix, generation, destination, received } = findings;
  const problems = [
    ...differences(books, { prefix, generation, destinations: [destination] }),
    ...warehouseDifferences(books, findings.profiles, warehouse, prefix),
  ];
  const same = (what: string, is: number | bigint, must: number | bigint): void => {
    if (is !== must) problems.push(`${what}: ${is} instead of ${must}`);
  };
  same('events acknowledged', findings.acknowledged, expected.sent);
  same('profiles whose versions do not rise by one', findings.unevenVersions, 0);
  const delivered = books.deliveries.get('delivered') ?? 0;
  same('idempotency keys at the receiver', received.keys, delivered);
  same('requests that the receiver refused', received.refused, 0);
  for (const outcome of ['dead', 'suppressed']) same(`deliveries ${outcome}`, books.deliveries.get(outcome) ?? 0, 0);
  const foreign = foreignEvents(findings);
  const collected = `${prefix}events.collected`;
  if (foreign < 0) problems.push(`${-foreign} events of the sample are missing`);
  // What else was sent may hold orders, too; then the sample's own can no longer be told from totals.
  if (foreign === 0) {
    same('revenue in profiles, USD micros', findings.revenue.get('USD') ?? 0n, expected.dollarCents * MICROS_PER_CENT);
    same('revenue in profiles, EUR micros', findings.revenue.get('EUR') ?? 0n, expected.euroCents * MICROS_PER_CENT);
    for (const [where, sums] of [
      ['profiles', warehouse.profileRevenue],
      ['orders', warehouse.orderRevenue],
    ] as const) {
      same(
        `revenue of ClickHouse’s ${where}, USD micros`,
        micros(sums.get('USD')),
        expected.dollarCents * MICROS_PER_CENT,
      );
      same(
        `revenue of ClickHouse’s ${where}, EUR micros`,
        micros(sums.get('EUR')),
        expected.euroCents * MICROS_PER_CENT,
      );
    }
    same('duplicates in ClickHouse', warehouse.duplicates, outcomesOf(books, 'resolver', collected).duplicate ?? 0);
    same('deliveries asked for', putOutBy(books, 'planner', destination), expected.deliveries);
  }
  return problems;
}

/** ClickHouse writes a decimal with as few places as it needs. */
function micros(decimal: string | undefined): bigint {
  const [whole = '0', fraction = ''] = (decimal ?? '0').split('.');
  return BigInt(whole + fraction.padEnd(6, '0'));
}

export const rejectedTotal = ({ rejected }: Books): number => sum([...rejected.values()]);
