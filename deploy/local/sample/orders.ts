/** The purchase history of the sample: one `Order Completed` event for each row of the CDNOW file. */

/** One row of the file. */
export interface Purchase {
  /** From 1, without the heading: it makes the message id, since some rows repeat. */
  readonly row: number;
  /** Five digits, as written. */
  readonly customerId: string;
  /** `1997-01-31` */
  readonly date: string;
  readonly quantity: number;
  /** As written, two decimals. */
  readonly dollars: string;
}

/** What `track` of a Segment SDK takes. */
export interface OrderEvent {
  readonly messageId: string;
  readonly userId: string;
  readonly event: 'Order Completed';
  readonly timestamp: Date;
  readonly properties: {
    readonly order_id: string;
    readonly revenue: number;
    readonly currency: 'USD';
    readonly products: readonly { readonly product_id: string; readonly quantity: number }[];
  };
}

const HEADING = 'customer_id,date,cds,dollars';
const ROW = /^(\d{5}),(\d{4}-\d{2}-\d{2}),(\d+),(\d+\.\d{2})$/;

/** @throws Error naming the first row that is not as expected */
export function purchasesIn(csv: string): Purchase[] {
  const [heading, ...rows] = csv.trimEnd().split(/\r?\n/);
  if (heading !== HEADING) throw new Error(`expected the columns ${HEADING}, found ${heading}`);
  return rows.map((text, index) => {
    const match = ROW.exec(text);
    if (!match) throw new Error(`row ${index + 1} is not a purchase: ${text}`);
    const [, customerId, date, quantity, dollars] = match as unknown as [string, string, string, string, string];
    return { row: index + 1, customerId, date, quantity: Number(quantity), dollars };
  });
}

const userIdOf = (customerId: string): string => `cdnow-${customerId}`;

/** The file has days only: an order is taken to be completed at midday, UTC. */
export const orderOf = ({ row, customerId, date, quantity, dollars }: Purchase): OrderEvent => ({
  messageId: `cdnow-${row}`,
  userId: userIdOf(customerId),
  event: 'Order Completed',
  timestamp: new Date(`${date}T12:00:00.000Z`),
  properties: {
    order_id: `cdnow-order-${row}`,
    // Two decimals survive a float and its JSON text; sums would not, and are never made from it.
    revenue: Number(dollars),
    currency: 'USD',
    products: [{ product_id: 'cd', quantity }],
  },
});

/** Exact sum, in hundredths. */
export const centsOf = (purchases: readonly Purchase[]): bigint =>
  purchases.reduce((sum, { dollars }) => sum + BigInt(dollars.replace('.', '')), 0n);
