import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { centsOf, type OrderEvent, orderOf, purchasesIn } from '../../deploy/local/sample/orders.ts';
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
  /** What has been bought, by currency: hundredths. */
  readonly cents: Cents;
  /** Everybody who has a user id, and what they bought. */
  readonly customers: ReadonlyMap<string, Bought>;
}

export type Cents = Readonly<Record<'USD' | 'EUR', bigint>>;

export interface Bought {
  readonly orders: number;
  readonly cents: Cents;
}

export const noCents: Cents = { USD: 0n, EUR: 0n };
export const addCents = (a: Cents, b: Cents): Cents => ({ USD: a.USD + b.USD, EUR: a.EUR + b.EUR });

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
  const bought = purchases.slice(from, from + ORDERS);
  const orders = bought.map((purchase) => named(orderOf(purchase)));
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
    cents: { USD: centsOf(bought), EUR: expected.cents },
    customers: customersOf([...orders, ...clicks.flat()]),
  };
}

/** From the events themselves, each message id once. */
function customersOf(events: readonly (OrderEvent | Click)[]): Map<string, Bought> {
  const customers = new Map<string, Bought>();
  for (const { userId, event, properties } of new Map(events.map((one) => [one.messageId, one])).values()) {
    if (userId === undefined) continue;
    const before = customers.get(userId) ?? { orders: 0, cents: noCents };
    customers.set(userId, before);
    if (event !== 'Order Completed') continue;
    const { currency, revenue } = properties as { readonly currency: 'USD' | 'EUR'; readonly revenue: number };
    const cents = addCents(before.cents, { ...noCents, [currency]: BigInt(Math.round(revenue * 100)) });
    customers.set(userId, { orders: before.orders + 1, cents });
  }
  return customers;
}
