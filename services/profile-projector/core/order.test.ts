import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventStitched } from '#schemas/generated/records.ts';
import { baseEvent, identifier, inAnyOrder } from './arbitrary.fixture.ts';
import { ofEvent } from './event.ts';
import { limits } from './limits.ts';
import { combine } from './profile.ts';
import { empty, merge } from './tributary.ts';

const one = identifier(0);
const order = (event: string, properties: string, timestamp = 1): EventStitched => ({
  ...baseEvent,
  event,
  timestamp,
  payload: `{"properties":${properties}}`,
});
const completed = (properties: string, timestamp = 1) => order('Order Completed', properties, timestamp);
const fold = (events: readonly EventStitched[]) =>
  events.map((event) => ofEvent(event, one, 'USD')).reduce(merge, empty(one));
const productsOf = (...events: readonly EventStitched[]) =>
  combine([fold(events)]).products.map(({ product, currency, name, quantity, revenue }) =>
    [product, name, quantity, currency, revenue].join(' '),
  );

describe('products', () => {
  const table: readonly (readonly [what: string, events: readonly EventStitched[], products: readonly string[]])[] = [
    [
      'add up exactly over orders, by id, else by sku',
      [
        completed('{"products":[{"product_id":"p","name":"Cup","price":0.1,"quantity":3},{"sku":"s","price":"2.50"}]}'),
        completed('{"products":[{"product_id":"p","price":0.2},{"product_id":"p","price":0.7}]}'),
      ],
      ['p Cup 5 USD 1.2', 's  1 USD 2.5'],
    ],
    [
      'have the newest name',
      [
        completed('{"products":[{"product_id":1,"name":"New"}]}', 2),
        completed('{"products":[{"product_id":1,"name":"Old"}]}', 1),
        completed('{"products":[{"product_id":1}]}', 3),
      ],
      ['1 New 3 USD 0'],
    ],
    [
      'of equally old names have the larger',
      [
        completed('{"products":[{"product_id":1,"name":"Cup"}]}'),
        completed('{"products":[{"product_id":1,"name":"Mug"}]}'),
      ],
      ['1 Mug 2 USD 0'],
    ],
    [
      'that are sent back or cancelled are taken off, as far as the event lists them',
      [
        completed('{"currency":"eur","products":[{"product_id":"p","price":5,"quantity":4}]}'),
        order('Order Refunded', '{"currency":"EUR","products":[{"product_id":"p","price":5}]}'),
        order('Order Cancelled', '{"currency":"EUR","products":[{"product_id":"p","price":5}]}'),
        order('Order Refunded', '{"currency":"EUR","total":20}'),
      ],
      ['p  2 EUR 10'],
    ],
    [
      'are of orders only',
      [
        order('Product Viewed', '{"products":[{"product_id":"p"}]}'),
        order('Order Updated', '{"products":[{"product_id":"p"}]}'),
        { ...completed('{"products":[{"product_id":"p"}]}'), type: 'page' },
      ],
      [],
    ],
  ];
  for (const [what, events, products] of table) {
    it(what, () => {
      expect(productsOf(...events)).toEqual(products);
      expect(productsOf(...events.toReversed())).toEqual(products);
    });
  }

  for (const bad of ['7', '{}', '{"product_id":"p","price":"$5"}', '{"product_id":"p","quantity":"two"}'])
    it(`${bad} is left out, and a flag says so`, () => {
      const { products, flags } = combine([fold([completed(`{"products":[${bad},{"sku":"s"}]}`)])]);
      expect(products.map(({ product }) => product)).toEqual(['s']);
      expect(flags).toEqual(['product_unreadable']);
    });

  it('of more than the limit those with the smallest ids are complete, whatever order they come in', () => {
    const list = fc.array(fc.nat(limits.products * 2), { maxLength: 400, size: 'max' });
    fc.assert(
      fc.property(inAnyOrder(list), ([ids, parts]) => {
        const whole = parts
          .map((part) => fold(part.map((id) => completed(`{"products":[{"product_id":"p${id}","price":2}]}`))))
          .reduce(merge, empty(one));
        const counts = Map.groupBy(ids, (id) => `p${id}`);
        const { products, flags } = combine([whole]);
        expect(products.map(({ product, quantity, revenue }) => [product, quantity, revenue])).toEqual(
          [...counts.keys()]
            .sort()
            .slice(0, limits.products)
            .map((id) => [id, `${counts.get(id)?.length}`, `${(counts.get(id)?.length ?? 0) * 2}`]),
        );
        expect(flags).toEqual(counts.size > limits.products ? ['products_cut'] : []);
      }),
      { numRuns: 40 },
    );
  });
});

describe('the number of orders', () => {
  const countOf = (ids: readonly string[]) => {
    const { order_count, flags } = combine([fold(ids.map((id) => completed(`{"order_id":${id}}`)))]);
    return { order_count, flags };
  };

  it('an order that is sent twice is one; an id may be a number; what is no order, or has no id, is none', () => {
    expect(countOf(['"a"', '7', '"a"', '"7"', 'null', '""', '{}']).order_count).toBe(2);
    const other = [order('Order Updated', '{"order_id":1}'), order('Order Refunded', '{"order_id":2}')];
    expect(combine([fold(other)]).order_count).toBe(0);
  });
  it('is exact up to the limit, and then an estimate that is flagged and the same in any order', () => {
    const ids = (count: number) => Array.from({ length: count }, (_, n) => `"order-${n}"`);
    expect(countOf(ids(limits.orders))).toEqual({ order_count: limits.orders, flags: [] });
    for (const count of [limits.orders + 1, 1_000, 5_000]) {
      const estimated = countOf(ids(count));
      expect(estimated.flags).toEqual(['orders_cut']);
      expect(Math.abs(estimated.order_count - count) / count).toBeLessThan(0.2);
      expect(countOf([...ids(count), ...ids(200)].toReversed())).toEqual(estimated);
    }
  });
});
