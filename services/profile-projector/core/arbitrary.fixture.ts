import fc from 'fast-check';
import type { Consent, EventStitched, Identifier } from '#schemas/generated/records.ts';

/** Events for tests: values collide often, so that ties, merges and cuts happen. */

export const identifier = (n: number): Identifier => ({
  type: n % 3 === 0 ? 'user_id' : n % 3 === 1 ? 'anonymous_id' : 'email',
  value: `value ${n}`,
  hash: n.toString(16).padStart(32, '0'),
});

export const baseEvent: EventStitched = {
  message_id: 'm',
  type: 'track',
  event: 'Tested',
  source: 'web',
  user_id: null,
  anonymous_id: null,
  original_timestamp: 0,
  sent_at: null,
  received_at: 1_000,
  timestamp: 500,
  flags: [],
  kind: 'person',
  identifiers: [identifier(0)],
  payload: '{}',
  ip: null,
  enrichment: '{}',
  consents: [],
  currency: 'USD',
  definitions: [],
  generation: 1,
  profile_id: 'p0',
  mapping_version: 0,
};

const consent: fc.Arbitrary<Consent> = fc.record({
  purpose: fc.constantFrom('advertising', 'analytics', 'email'),
  state: fc.constantFrom('granted', 'denied'),
  time: fc.integer({ min: 0, max: 3 }),
  source: fc.constantFrom('web', 'gpc'),
  policy_version: fc.constantFrom(null, '', 'v1', 'v2'),
});

const amount = fc.oneof(
  fc.integer({ min: -9_999_999, max: 9_999_999 }).map((micros) => (micros / 100).toFixed(2)),
  fc.constantFrom('0.1', '0.2', '"19.90"', '1e2', '0.0000005', 'null', '"?"', '123456789012345.678901'),
);
const objectOf = (name: fc.Arbitrary<string>, value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .dictionary(name, value, { maxKeys: 4 })
    .map((values) => `{${Object.entries(values).map(([name, value]) => `"${name}":${value}`)}}`);
const scalar = fc.constantFrom('1', '"x"', '[1, 2]', 'null', '1.0');
const within = fc.constantFrom('c', 'd', 'd.e', '');
/** JSON text of an object, with objects in it. */
export const traits = objectOf(
  fc.constantFrom('a', 'b', 'email', '\\u00e9', '__proto__'),
  fc.oneof(
    { arbitrary: scalar, weight: 3 },
    { arbitrary: objectOf(within, fc.oneof(scalar, objectOf(within, scalar))), weight: 2 },
  ),
);
const small = fc.constantFrom('1', '2', '"1"', 'null', '"three"', '0.5');
const products = fc
  .array(
    fc.tuple(fc.constantFrom('"p1"', '"p2"', '7', 'null'), small, small, fc.constantFrom('"Cup"', '"Mug"', '""')),
    {
      maxLength: 3,
    },
  )
  .map(
    (all) =>
      `[${all.map(([id, n, price, name]) => `{"product_id":${id},"quantity":${n},"price":${price},"name":${name}}`)}]`,
  );

const body = fc.oneof(
  fc.record({
    type: fc.constant('page'),
    event: fc.constantFrom(null, 'Home', ''),
    payload: fc.constant('{"properties":{}}'),
  }),
  fc.record({
    type: fc.constant('identify'),
    event: fc.constant(null),
    payload: fc.tuple(traits, traits).map(([own, inContext]) => `{"context":{"traits":${inContext}},"traits":${own}}`),
  }),
  fc.record({
    type: fc.constant('track'),
    event: fc.constantFrom('Order Completed', 'Order Refunded', 'Product Viewed'),
    payload: fc
      .tuple(
        fc.constantFrom('revenue', 'total', 'value'),
        amount,
        fc.constantFrom('"usd"', '"EUR"', '"euro"', 'null'),
        small,
        products,
      )
      .map(
        ([name, text, currency, order, list]) =>
          `{"properties":{"${name}":${text},"currency":${currency},"order_id":${order},"products":${list}}}`,
      ),
  }),
  fc.record({
    type: fc.constantFrom('page', 'track'),
    event: fc.constant('Landed'),
    payload: fc
      .tuple(fc.constantFrom('"news"', '"ads"', '""'), fc.constantFrom('"https://a.example/"', 'null'))
      .map(([name, from]) => `{"context":{"campaign":{"name":${name}},"page":{"referrer":${from}}}}`),
  }),
  fc.record({
    type: fc.constant('group'),
    event: fc.constant(null),
    payload: fc
      .tuple(fc.constantFrom('"acme"', '"beta"', '3'), traits)
      .map(([id, own]) => `{"groupId":${id},"traits":${own}}`),
  }),
  fc.record({
    type: fc.constant('track'),
    event: fc.constant('Interaction'),
    payload: fc
      .tuple(fc.constantFrom('"i1"', '"i2"', 'null'), fc.constantFrom('"open"', '"closed"', 'null', '"?"'), small)
      .map(([id, state, agent]) => `{"properties":{"id":${id},"state":${state},"agent":${agent}}}`),
  }),
);

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
/** So near to each other, and to midnight, that sessions meet, or just do not. */
const times = [0, 1, 2, 20 * MINUTE, 30 * MINUTE, 50 * MINUTE - 1, DAY - MINUTE, DAY, DAY + 29 * MINUTE - 1, 3 * DAY];

/** Events whose message ids are distinct unless their sources are. */
export const events = (options: { maxLength?: number; identifiers?: number } = {}): fc.Arbitrary<EventStitched[]> =>
  fc
    .array(
      fc.record({
        body,
        source: fc.constantFrom('ios', 'web'),
        identifier: fc.nat((options.identifiers ?? 1) - 1),
        timestamp: fc.constantFrom(...times),
        anonymous_id: fc.constantFrom(null, 'a'),
        kind: fc.constantFrom('person', 'person', 'person', 'account'),
        received_at: fc.integer({ min: 0, max: 1_000 }),
        consents: fc.array(consent, { maxLength: 3 }),
      }),
      { maxLength: options.maxLength ?? 12 },
    )
    .map((drawn) =>
      drawn.map(
        ({ body, identifier: n, ...rest }, index): EventStitched => ({
          ...baseEvent,
          ...body,
          ...rest,
          message_id: `m${index >> 1}`,
          source: index % 2 === 0 ? rest.source : rest.source === 'web' ? 'ios' : 'web',
          identifiers: [identifier(n)],
        }),
      ),
    );

/** The same items in their order; and in any other, in parts of any size. */
export const inAnyOrder = <T>(lists: fc.Arbitrary<T[]>): fc.Arbitrary<[list: T[], parts: T[][]]> =>
  lists.chain((list) =>
    fc
      .tuple(
        fc.shuffledSubarray(list, { minLength: list.length }),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: list.length, maxLength: list.length }),
      )
      .map(([shuffled, sizes]): [T[], T[][]] => {
        const parts: T[][] = [];
        let at = 0;
        for (const size of sizes) {
          parts.push(shuffled.slice(at, at + size));
          at += size;
        }
        return [list, parts];
      }),
  );
