import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type OrderEvent, orderOf, purchasesIn } from '../../deploy/local/sample/orders.ts';
import { seededRandom } from '../../deploy/local/sample/random.ts';
import { type Click, clickStream } from '../../deploy/local/sample/visitors.ts';

/** Some two thousand events of one kind of everything: orders by a server, visitors who log in, repetitions, bad events. */
export interface Wave {
  readonly orders: readonly OrderEvent[];
  readonly visits: readonly (readonly Click[])[];
  /** Requests that must be acknowledged: repetitions and bad events included. */
  readonly sent: number;
  /** Distinct good events. */
  readonly distinct: number;
  readonly messageIds: ReadonlySet<string>;
}

const ORDERS = 1_200;
const VISITORS = 110;
const file = new URL('../data/cdnow_master_transactions.csv.gz', import.meta.url);
let purchases: ReturnType<typeof purchasesIn> | undefined;

/** @param number waves of neighbouring numbers have half of their people in common; their message ids are their own */
export function waveOf(number: number): Wave {
  purchases ??= purchasesIn(gunzipSync(readFileSync(file)).toString('utf8'));
  const from = (number * ORDERS) / 2;
  const named = <T extends { readonly messageId: string }>(event: T): T => ({
    ...event,
    messageId: `wave-${number}-${event.messageId}`,
  });
  const orders = purchases.slice(from, from + ORDERS).map((purchase) => named(orderOf(purchase)));
  const { visits, expected } = clickStream({
    customers: [...new Set(orders.map(({ userId }) => userId))],
    visitors: VISITORS,
    until: Date.now(),
    random: seededRandom(number + 1),
  });
  const clicks = visits.map((visit) => visit.map(named));
  return {
    orders,
    visits: clicks,
    sent: orders.length + expected.sent,
    distinct: orders.length + expected.distinct,
    messageIds: new Set([...orders, ...clicks.flat()].map(({ messageId }) => messageId)),
  };
}
