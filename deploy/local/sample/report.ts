import { formatMicros } from '#shared/money/decimal.ts';
import { outcomesOf, putOutBy, rejectedAt, sum, takenBy } from './books.ts';
import { type Findings, foreignEvents, rejectedTotal } from './checks.ts';

export interface ReportOptions {
  readonly findings: Findings;
  readonly problems: readonly string[];
  /** One person's way, already in words. */
  readonly story: readonly string[];
  /** All identifiers of the profiles. */
  readonly identifiers: number;
  readonly addresses: readonly (readonly [what: string, where: string])[];
  readonly queries: readonly string[];
  /** A command to which a query is added. */
  readonly ask: string;
  readonly times: readonly (readonly [what: string, milliseconds: number])[];
}

const grouped = new Intl.NumberFormat('en-US');
const n = (count: number): string => grouped.format(count);
const money = (micros: bigint): string => {
  const [whole = '0', fraction = ''] = formatMicros(micros).split('.');
  return `${grouped.format(BigInt(whole))}.${fraction.padEnd(2, '0')}`;
};

/** What became of the sample, to be read by a person. */
export function reportOf(options: ReportOptions): string[] {
  const { findings, problems, story, identifiers } = options;
  const { books, warehouse, prefix, expected, received, destination } = findings;
  const outcomes = outcomesOf(books, 'resolver', `${prefix}events.collected`);
  const atTheDoor = rejectedAt(books, 'collector');
  const stitched = outcomes.stitched ?? 0;
  const duplicates = outcomes.duplicate ?? 0;
  const foreign = foreignEvents(findings);
  const outcomeText = [...books.deliveries].map(([outcome, count]) => `${n(count)} ${outcome}`).join(', ');
  const rejectedHere = sum(
    [...warehouse.rejected].filter(([place]) => place.startsWith('collector: ')).map(([, count]) => count),
  );
  const against = (currency: string, cents: bigint): string => {
    const micros = findings.revenue.get(currency) ?? 0n;
    const mark = micros === cents * 10_000n ? '=' : 'against';
    return `${money(micros)} ${currency} in profiles ${mark} ${money(cents * 10_000n)}`;
  };
  return [
    '',
    'What became of the sample',
    ...columns([
      [
        'events',
        `${n(expected.sent)} sent, ${n(findings.acknowledged)} acknowledged, of which ${n(expected.duplicates)} sent twice and ${n(expected.bad)} bad on purpose`,
      ],
      ...(foreign > 0 ? [['', `${n(foreign)} others were sent besides`]] : []),
      ['profiles', `${n(findings.profiles)} of ${n(identifiers)} identifiers`],
      [
        'identity',
        `${n(putOutBy(books, 'linker', 'mapping'))} identifiers moved to another profile, ${n(warehouse.refusedLinks)} links refused; ${n(putOutBy(books, 'projector', 'move'))} tributaries moved`,
      ],
      [
        'deliveries',
        `${n(putOutBy(books, 'planner', destination))} asked for: ${outcomeText || 'none'}; the receiver saw ${n(received.keys)}, ${n(received.requests - received.keys)} of them again`,
      ],
      ['revenue', `${against('USD', expected.dollarCents)} in the file`],
      ['', `${against('EUR', expected.euroCents)} of the click stream`],
      ...[...books.rejected].map(([place, count], i) => [i === 0 ? 'rejected' : '', `${n(count)} ${place}`]),
    ]),
    '',
    ...table(
      ['Books', 'where it happens', 'in ClickHouse'],
      [
        ['rejected at the door', atTheDoor, rejectedHere],
        ['accepted', books.collected, warehouse.collected],
        ['  stitched', stitched, warehouse.events],
        ['  duplicates', duplicates, warehouse.duplicates],
        [
          '  rejected further on',
          rejectedTotal(books) - atTheDoor,
          sum([...warehouse.rejected.values()]) - rejectedHere,
        ],
        ['  dropped by rule', outcomes.dropped ?? 0, 0],
        ['folded into profiles', takenBy(books, 'projector', `${prefix}events.stitched`), warehouse.events],
        ['profiles', findings.profiles, warehouse.profiles],
        ['deliveries', sum([...books.deliveries.values()]), sum([...warehouse.deliveries.values()])],
      ],
    ),
    ...(problems.length === 0
      ? ['  balanced: accepted = stitched + duplicates + rejected + dropped by rule']
      : ['', 'NOT as it must be:', ...problems.map((problem) => `  ${problem}`)]),
    ...(story.length === 0 ? [] : ['', ...story]),
    '',
    'Three queries to try',
    ...options.queries.map((query) => `  ${query}`),
    `  like this: ${options.ask}`,
    '',
    'Where',
    ...columns(options.addresses.map((row) => [...row])),
    '',
    `Times: ${options.times.map(([what, ms]) => `${what} ${(ms / 1_000).toFixed(1)} s`).join(', ')}`,
    '',
  ];
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const width = Math.max(...rows.map(([head = '']) => head.length));
  return rows.map(([head = '', text = '']) => `  ${head.padEnd(width)}  ${text}`);
}

function table(heading: readonly string[], rows: readonly (readonly [string, number, number])[]): string[] {
  const cells = [heading, ...rows.map(([name, ...counts]) => [`  ${name}`, ...counts.map(n)])];
  const widths = heading.map((_, i) => Math.max(...cells.map((row) => (row[i] ?? '').length)));
  return cells.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  );
}
