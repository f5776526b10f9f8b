import type { Product, TributaryAmount, TributaryProduct } from '#schemas/generated/records.ts';
import { arrayElements, objectMembers, type Span } from '#shared/json/members.ts';
import { formatMicros, parseMicros } from '#shared/money/decimal.ts';
import { remembering } from '#shared/task/remembering.ts';
import { type Flag, limits } from './limits.ts';
import { cut, none } from './sorted.ts';

/** How an event of this name counts towards revenue and products, if it does. */
const signOf = (type: string, name: string | null): 1 | -1 | 0 => {
  if (type !== 'track') return 0;
  if (name === 'Order Completed') return 1;
  return name === 'Order Refunded' || name === 'Order Cancelled' ? -1 : 0;
};

/** What an event says of an order. */
export interface Order {
  readonly revenue: readonly TributaryAmount[];
  readonly products: readonly TributaryProduct[];
  readonly orders: readonly number[];
}

const noOrder: Order = Object.freeze({ revenue: none, products: none, orders: none });

/** What is read of an event. */
export interface OrderEvent {
  readonly type: string;
  readonly event: string | null;
  readonly payload: string;
  readonly timestamp: number;
}

/** @param defaultCurrency for amounts that name none, or none that is one */
export function orderOf(
  { type, event, payload, timestamp }: OrderEvent,
  defaultCurrency: string,
  flags: Flag[],
): Order {
  const sign = signOf(type, event);
  if (sign === 0) return noOrder;
  const properties = objectMembers(payload).get('properties');
  if (!properties) return noOrder;
  const members = objectMembers(payload, properties.start);
  const currency = (): string => currencyOf(textIn(payload, members, 'currency'), defaultCurrency, flags);
  const list = members.get('products');
  return {
    revenue: revenueOf(payload, members, sign, currency, flags),
    products: list ? productsOf(payload, list, sign, timestamp, currency, flags) : none,
    orders: event === 'Order Completed' ? orderIdsOf(textIn(payload, members, 'order_id')) : none,
  };
}

type Members = ReadonlyMap<string, Span>;

/** JSON text of a member; undefined for null. */
function textIn(payload: string, members: Members, name: string): string | undefined {
  const span = members.get(name);
  const text = span && payload.slice(span.start, span.end);
  return text === 'null' ? undefined : text;
}

/** Of revenue, total and value the first that is an amount. */
function revenueOf(
  payload: string,
  members: Members,
  sign: 1 | -1,
  currency: () => string,
  flags: Flag[],
): readonly TributaryAmount[] {
  for (const name of ['revenue', 'total', 'value']) {
    const text = textIn(payload, members, name);
    if (text === undefined) continue;
    const micros = parseMicros(text);
    if (micros === undefined) flags.push('revenue_unreadable');
    else return [{ currency: currency(), micros: (sign === 1 ? micros : -micros).toString() }];
  }
  return none;
}

function currencyOf(json: string | undefined, defaultCurrency: string, flags: Flag[]): string {
  if (json === undefined) return defaultCurrency;
  const code = /^" *([A-Za-z]{3}) *"$/.exec(json)?.[1];
  if (code) return code.toUpperCase();
  flags.push('currency_unreadable');
  return defaultCurrency;
}

/** The products of an order, each once, sorted. */
function productsOf(
  payload: string,
  { start }: Span,
  sign: 1 | -1,
  timestamp: number,
  currencyOfOrder: () => string,
  flags: Flag[],
): readonly TributaryProduct[] {
  const byKey = new Map<string, TributaryProduct>();
  let currency: string | undefined;
  for (const element of arrayElements(payload, start)) {
    currency ??= currencyOfOrder();
    const product = productAt(payload, element, sign, timestamp, currency);
    if (!product) flags.push('product_unreadable');
    else {
      const key = productKey(product);
      const other = byKey.get(key);
      byKey.set(key, other ? addProducts(other, product) : product);
    }
  }
  const sorted = [...byKey.keys()].sort().map((key) => byKey.get(key) as TributaryProduct);
  if (sorted.length > limits.products) flags.push('products_cut');
  return cut(sorted, limits.products);
}

/** Amounts of more than that are mistakes. */
const MOST_MICROS = 10n ** 24n;
const ONE = 1_000_000n;

/** Undefined where it cannot be told what it is, or how many, or for how much. */
function productAt(
  payload: string,
  { start }: Span,
  sign: 1 | -1,
  timestamp: number,
  currency: string,
): TributaryProduct | undefined {
  const members = objectMembers(payload, start);
  const product = idOf(textIn(payload, members, 'product_id')) ?? idOf(textIn(payload, members, 'sku'));
  if (product === undefined || product.length > limits.productText) return undefined;
  const quantity = parseMicros(textIn(payload, members, 'quantity') ?? '1');
  const price = parseMicros(textIn(payload, members, 'price') ?? '0');
  if (quantity === undefined || price === undefined) return undefined;
  // Places after the sixth are dropped.
  const amount = (quantity * price) / ONE;
  if (amount >= MOST_MICROS || amount <= -MOST_MICROS) return undefined;
  const signed = (micros: bigint): string => (sign === 1 ? micros : -micros).toString();
  const name = idOf(textIn(payload, members, 'name')) ?? '';
  return {
    product,
    currency,
    name: name.slice(0, limits.productText).toWellFormed(),
    named_at: timestamp,
    quantity_micros: signed(quantity),
    micros: signed(amount),
  };
}

/** A text or a number, as text. */
function idOf(json: string | undefined): string | undefined {
  if (json === undefined) return undefined;
  if (json.startsWith('"')) return (JSON.parse(json) as string).toWellFormed() || undefined;
  return /^-?\d/.test(json) ? json : undefined;
}

export const productKey = ({ product, currency }: TributaryProduct): string => `${product}\0${currency}`;

/** The sum of integers as texts. Those of fewer digits are exact as numbers, which are quicker. */
export const addMicros = (a: string, b: string): string =>
  a.length < 16 && b.length < 16 ? String(Number(a) + Number(b)) : (BigInt(a) + BigInt(b)).toString();

/** The name is the newest that is one, at equal times the larger. */
export function addProducts(a: TributaryProduct, b: TributaryProduct): TributaryProduct {
  const named = isNamedBefore(a, b) ? b : a;
  return {
    product: a.product,
    currency: a.currency,
    name: named.name,
    named_at: named.named_at,
    quantity_micros: addMicros(a.quantity_micros, b.quantity_micros),
    micros: addMicros(a.micros, b.micros),
  };
}

function isNamedBefore(a: TributaryProduct, b: TributaryProduct): boolean {
  if ((a.name === '') !== (b.name === '')) return a.name === '';
  return a.named_at !== b.named_at ? a.named_at < b.named_at : a.name < b.name;
}

/** As a profile says them. */
export const shownProducts = remembering((products: readonly TributaryProduct[]): readonly Product[] =>
  products.map(({ product, currency, name, quantity_micros, micros }) => ({
    product,
    currency,
    name,
    quantity: formatMicros(BigInt(quantity_micros)),
    revenue: formatMicros(BigInt(micros)),
  })),
);

/*
 * Which orders there were: a set of ids grows for ever, so what is kept are the smallest hashes of them. As long as there are fewer than
 * the limit, that is all of them; else the largest of those that are kept says how close together they all are, and so how many.
 */

/** Hashes are below that. */
const HASHES = 2 ** 52;

const orderIdsOf = (json: string | undefined): readonly number[] => {
  const id = idOf(json);
  return id === undefined ? none : [hashOf(id)];
};

export const orderKey = (hash: number): number => hash;

/** How many distinct order ids there are: exact below the limit, else an estimate that is off by some six percent. */
export const orderCountOf = (smallest: readonly number[], areAll: boolean): number =>
  areAll ? smallest.length : Math.round(((smallest.length - 1) * HASHES) / (smallest.at(-1) as number));

/** 52 bits, evenly spread (cyrb53). It is written down for good: do not change it. */
function hashOf(text: string): number {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2_654_435_761);
    b = Math.imul(b ^ code, 1_597_334_677);
  }
  a = Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909);
  b = Math.imul(b ^ (b >>> 16), 2_246_822_507) ^ Math.imul(a ^ (a >>> 13), 3_266_489_909);
  return (b & 0xfffff) * 2 ** 32 + (a >>> 0);
}
