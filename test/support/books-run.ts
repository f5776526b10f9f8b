import { setTimeout as sleep } from 'node:timers/promises';
import { type Balance, balanceOf, type Counts } from '#shared/accounting/balance.ts';
import { applyDefinitions } from '#shared/definitions/apply.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import type { Platform } from '../../deploy/local/platform.ts';
import { invocationOf } from '../../services/console/cli/config.ts';
import { Connections } from '../../services/console/cli/connections.ts';
import { readCounts } from '../../services/console/cli/read-counts.ts';
import { beforeMixed, type MixedRequest, mixedRequests, mixedSources } from './mixed-requests.ts';
import { until } from './until.ts';

const SENDERS = 16;
const QUIET_WITHIN_MS = 600_000;
const CENTS = 'cents';

/** Who counts. */
export const counters = ['collector', 'Kafka', 'ClickHouse'] as const;
type Counter = (typeof counters)[number];
/** How often what happened; undefined where a counter does not see it. */
export type Line = Readonly<Record<'sent' | Counter, number | undefined>>;

export interface BooksReport {
  /** Events and requests that were sent; a refused request has one event. */
  readonly events: number;
  readonly requests: number;
  readonly seconds: number;
  /** By what became of them. */
  readonly lines: ReadonlyMap<string, Line>;
  /** In words; none: the books balance. */
  readonly problems: readonly string[];
}

type Standing = Readonly<Record<Counter, ReadonlyMap<string, number>>>;

/** Sends mixed requests by HTTP, waits until all is still, and adds up what became of each event: who sent it, and whoever counts. */
export async function runBooks(
  connections: Connections,
  { count, run }: { readonly count: number; readonly run: string },
): Promise<BooksReport> {
  await defineSources(connections);
  const { collectorUrl } = connections.settings;
  const problems = new Set<string>();
  const sent = new Map<string, number>();
  const sum = (name: string, by: number): void => void sent.set(name, (sent.get(name) ?? 0) + by);
  let requests = 0;
  const send = async (request: MixedRequest): Promise<void> => {
    const status = await statusOf(collectorUrl, request);
    requests++;
    if (status !== request.status) problems.add(`${request.path}: ${status} instead of ${request.status}`);
    for (const [outcome, times] of Object.entries(request.outcomes)) sum(outcome, times);
    sum(CENTS, request.cents);
  };

  const unreadable = { ...beforeMixed(run), body: '' };
  await until('the sources are known', async () => (await statusOf(collectorUrl, unreadable)) === 400);
  await untilStill(connections);
  const before = await standing(connections);
  const began = performance.now();
  await send(beforeMixed(run));
  const all = mixedRequests(count, run);
  const senders = Array.from({ length: SENDERS }, async () => {
    for (const request of all) await send(request);
  });
  await Promise.all(senders);
  const { differences } = await untilStill(connections);
  const seconds = (performance.now() - began) / 1_000;
  const lines = linesOf(sent, before, await standing(connections));
  return {
    events: [...sent].reduce((total, [name, times]) => total + (name === CENTS ? 0 : times), 0),
    requests,
    seconds,
    lines,
    problems: [...problems, ...differences, ...problemsIn(lines)],
  };
}

/** A platform, as the operator's tool sees it. */
export function connectTo(platform: Platform): Connections {
  const env = platform.env();
  const at = (name: string): string => `--${name.toLowerCase().replaceAll('_', '-')}=${env[`TRIBUTARY_${name}`]}`;
  const invocation = invocationOf([
    ...['KAFKA_BROKERS', 'REGISTRY_URL', 'CLICKHOUSE_URL', 'DATA'].map(at),
    `--collector-url=http://127.0.0.1:${platform.settings.collectorPort}`,
  ]);
  if ('errors' in invocation) throw new Error(invocation.errors.join('; '));
  return new Connections(invocation.settings);
}

async function defineSources(connections: Connections): Promise<void> {
  const sources = Object.entries(mixedSources).map(
    ([name, body]) => ({ kind: 'source', name, body: definitionKinds.source.parse(body) }) as const,
  );
  await applyDefinitions(await connections.home(), sources, { actor: 'test', reason: 'the books', at: Date.now() });
}

async function statusOf(url: string, { method, path, headers, body }: MixedRequest): Promise<number> {
  const answer = await fetch(url + path, { method, headers, ...(body !== undefined && { body: body as BodyInit }) });
  await answer.arrayBuffer();
  return answer.status;
}

/** Waits until nothing is on its way. @returns the books, which differ only if they still do after that long */
export async function untilStill(connections: Connections): Promise<Balance> {
  let books: Balance | undefined;
  const isStill = async (): Promise<boolean> => {
    books = balanceOf(await readCounts(connections));
    // Only these tell whether ClickHouse has what the collector rejected. They take long, hence after the others.
    if (books.differences.length === 0) books = balanceOf(await readCounts(connections, true));
    return books.differences.length === 0 || sleep(500, false);
  };
  // Whoever asked is told in which way they differ.
  await until('nothing is on its way', isStill, QUIET_WITHIN_MS).catch(() => undefined);
  return books ?? balanceOf(await readCounts(connections, true));
}

/** What everybody has counted so far. */
async function standing(connections: Connections): Promise<Standing> {
  const counts = await readCounts(connections, true);
  return {
    collector: await inCollector(connections.settings.collectorUrl),
    Kafka: inKafka(counts),
    ClickHouse: await inClickHouse(connections, counts),
  };
}

async function inCollector(url: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const found = new Map<string, number>();
  const sum = (name: string, by: number): void => void found.set(name, (found.get(name) ?? 0) + by);
  for (const [, metric, labels = '', value] of text.matchAll(/^(\w+)\{(.*)\} (\d+)$/gm)) {
    const label = (name: string): string => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
    if (metric === 'tributary_collector_events_total') {
      const outcome = label('outcome');
      sum(outcome === 'accepted' ? outcome : `${outcome} by collector: ${label('reason')}`, Number(value));
    }
    if (metric === 'tributary_collector_requests_total' && label('status') >= '400')
      sum(`refused with ${label('status')}`, Number(value));
  }
  return found;
}

function inKafka(counts: Counts): Map<string, number> {
  const { accepted, stitched, duplicates, dropped, folded } = balanceOf(counts);
  return new Map([
    ['accepted', accepted],
    ['stitched', stitched],
    ['duplicate', duplicates],
    ['dropped by resolver', dropped],
    ['folded', folded],
    ...rejections(counts.rejectedRecords ?? []),
  ]);
}

async function inClickHouse(connections: Connections, { clickhouse }: Counts): Promise<Map<string, number>> {
  const numberIn = async (query: string): Promise<number> =>
    Number((await connections.rows<{ n: string }>(`SELECT toString(${query}) AS n`))[0]?.n ?? 0);
  const revenue = `JSONExtract(payload, 'properties', 'revenue', 'Decimal(18, 2)')`;
  return new Map([
    ['accepted', clickhouse.collected],
    ['stitched', clickhouse.events],
    [
      'duplicate',
      await numberIn(
        '(SELECT uniqExact(kafka_partition, kafka_offset) - uniqExact(source, message_id) FROM collected)',
      ),
    ],
    ['folded', clickhouse.profileEvents],
    [
      'revenue of events, cents',
      await numberIn(`(SELECT sum(${revenue}) * 100 FROM events WHERE event = 'Order Completed' AND source = 'books')`),
    ],
    ['revenue of profiles, cents', await numberIn(`(SELECT sum(revenue['EUR']) * 100 FROM profiles)`)],
    ...rejections(clickhouse.rejected),
  ]);
}

const rejections = (list: Counts['clickhouse']['rejected']): [string, number][] =>
  list.map(({ stage, reason, count }) => [`rejected by ${stage}: ${reason}`, count]);

/** Whether a counter sees what becomes of an event so. */
function sees(counter: Counter, name: string): boolean {
  if (name.startsWith('refused') || name.startsWith('dropped by collector')) return counter === 'collector';
  if (name.startsWith('dropped')) return counter === 'Kafka';
  if (name.startsWith('revenue')) return counter === 'ClickHouse';
  return counter !== 'collector' || name === 'accepted' || name.startsWith('rejected by collector');
}

function linesOf(sent: ReadonlyMap<string, number>, before: Standing, after: Standing): Map<string, Line> {
  const cents = sent.get(CENTS) ?? 0;
  const stitched = sent.get('stitched') ?? 0;
  const expected = new Map([
    ...[...sent].filter(([name]) => name !== CENTS),
    ['accepted', stitched + (sent.get('duplicate') ?? 0)],
    ['folded', stitched],
    ['revenue of events, cents', cents],
    ['revenue of profiles, cents', cents],
  ] as const);
  const names = new Set([...expected.keys(), ...counters.flatMap((counter) => [...after[counter].keys()])]);
  const lines = [...names].sort(byPlace).map((name): [string, Line] => {
    const counted = (counter: Counter): number | undefined =>
      sees(counter, name) ? (after[counter].get(name) ?? 0) - (before[counter].get(name) ?? 0) : undefined;
    return [
      name,
      {
        sent: expected.get(name) ?? 0,
        collector: counted('collector'),
        Kafka: counted('Kafka'),
        ClickHouse: counted('ClickHouse'),
      },
    ];
  });
  return new Map(lines.filter(([, line]) => Object.values(line).some((number) => (number ?? 0) !== 0)));
}

const places = ['accepted', 'stitched', 'duplicate', 'dropped', 'rejected', 'folded', 'revenue', 'refused'];
const placeOf = (name: string): number => places.findIndex((place) => name.startsWith(place));
const byPlace = (a: string, b: string): number => placeOf(a) - placeOf(b) || (a < b ? -1 : 1);

/** Where somebody has not counted what was sent, and where what was accepted is not all of it. */
function problemsIn(lines: ReadonlyMap<string, Line>): string[] {
  const problems = [...lines].flatMap(([name, line]) =>
    counters.flatMap((counter) => {
      const counted = line[counter];
      return counted === undefined || counted === line.sent
        ? []
        : [`${name}: ${line.sent} sent, ${counted} by ${counter}`];
    }),
  );
  const inKafka = (isPart: (name: string) => boolean): number =>
    [...lines].reduce((total, [name, { Kafka: times = 0 }]) => total + (isPart(name) ? times : 0), 0);
  const accepted = inKafka((name) => name === 'accepted');
  const parts = inKafka(
    (name) => /^(stitched|duplicate|dropped|rejected)/.test(name) && !name.startsWith('rejected by collector'),
  );
  if (accepted !== parts) problems.push(`accepted: ${accepted}, stitched, duplicates, dropped and rejected: ${parts}`);
  return problems;
}

export function booksTable({ lines }: BooksReport): string {
  const text = (number: number | undefined): string => number?.toLocaleString('en') ?? '';
  const heading = ['', 'sent', ...counters];
  const rows = [...lines].map(([name, line]) => [name, text(line.sent), ...counters.map((one) => text(line[one]))]);
  const widths = heading.map((_, i) => Math.max(...[heading, ...rows].map((row) => (row[i] as string).length)));
  return [heading, ...rows]
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
    )
    .join('\n');
}
