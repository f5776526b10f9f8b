import { type Balance, balanceOf } from '#shared/accounting/balance.ts';
import type { Connections } from '../connections.ts';
import { lagsOf } from '../lags.ts';
import { type Output, table } from '../output.ts';
import { readCounts } from '../read-counts.ts';
import { unitStates } from '../units.ts';

export async function status(connections: Connections): Promise<Output> {
  const units = await unitStates(connections);
  const answers = (name: string): boolean => units.some((unit) => unit.name === name && unit.ready);
  const lags = answers('kafka') ? await lagsOf(connections) : undefined;
  const books = answers('kafka') && answers('clickhouse') ? balanceOf(await readCounts(connections)) : undefined;
  const parts = [
    table(
      ['unit', 'state', 'address', 'note'],
      units.map(({ name, ready, address, note }) => [name, ready ? 'ready' : 'not ready', address, note]),
    ),
    lags &&
      (table(
        ['task', 'topic', 'lag'],
        lags.map(({ group, topic, offsets }) => [group, topic, offsets]),
      ) ||
        'no task has begun'),
    books && booksText(books),
  ];
  return {
    json: { units, lags: lags ?? null, books: books ?? null },
    text: parts.filter(Boolean).join('\n\n'),
    exitCode: units.every(({ ready }) => ready) ? 0 : 1,
  };
}

export function booksText(books: Balance): string {
  const rows = [
    ['accepted', books.accepted],
    ['  stitched', books.stitched],
    ['  duplicates', books.duplicates],
    ['  dropped by rule', books.dropped],
    ...books.rejected.map(({ stage, reason, count }) => [`  rejected, ${stage}: ${reason}`, count] as const),
    ['folded', books.folded],
    ['  expired with their profiles', books.forgotten],
    ['planned', books.planned],
    ['  delivered', books.delivered],
    ['  suppressed', books.suppressed],
    ['  dead', books.dead],
    ['held, in quarantine', books.held],
  ] as const;
  const verdict =
    books.differences.length === 0
      ? ['the books balance']
      : ['not yet, or not at all:', ...books.differences.map((one) => `  ${one}`)];
  const expired = books.expired.length === 0 ? [] : ['expired unread:', ...books.expired.map((one) => `  ${one}`)];
  return [table(['books', 'events'], rows), ...verdict, ...expired].join('\n');
}
