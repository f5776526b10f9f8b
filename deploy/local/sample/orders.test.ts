import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { centsOf, orderOf, purchasesIn } from './orders.ts';

const file = new URL('../../../test/data/cdnow_master_transactions.csv.gz', import.meta.url);
const purchases = purchasesIn(gunzipSync(readFileSync(file)).toString('utf8'));
const orders = purchases.map(orderOf);

describe('the purchase history', () => {
  test('has every row of the file, and its total to the cent', () => {
    expect(purchases).toHaveLength(69_659);
    expect(new Set(purchases.map(({ customerId }) => customerId)).size).toBe(23_570);
    expect(centsOf(purchases)).toBe(250_031_563n);
  });

  test('gives rows that repeat message ids of their own', () => {
    expect(new Set(orders.map(({ messageId }) => messageId)).size).toBe(69_659);
  });

  test('loses no cent on the way through JSON', () => {
    const texts = orders.map(({ properties }) => JSON.stringify(properties.revenue));
    expect(texts.filter((text) => text.includes('e'))).toEqual([]);
    expect(texts.map((text) => Number(text).toFixed(2))).toEqual(purchases.map(({ dollars }) => dollars));
  });

  test('reads a row', () => {
    expect(orders[2]).toEqual({
      messageId: 'cdnow-3',
      userId: 'cdnow-00002',
      event: 'Order Completed',
      timestamp: new Date('1997-01-12T12:00:00Z'),
      properties: {
        order_id: 'cdnow-order-3',
        revenue: 77,
        currency: 'USD',
        products: [{ product_id: 'cd', quantity: 5 }],
      },
    });
  });

  test('refuses what is not the file', () => {
    expect(() => purchasesIn('a,b\n1,2')).toThrow('expected the columns');
    expect(() => purchasesIn('customer_id,date,cds,dollars\n00001,1997-01-01,1,11.7')).toThrow('row 1');
  });
});
