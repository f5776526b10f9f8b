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
const traits = fc
  .dictionary(
    fc.constantFrom('a', 'b', 'email', '\\u00e9', '__proto__'),
    fc.constantFrom('1', '"x"', '[1, 2]', 'null', '1.0'),
  )
  .map((values) => `{${Object.entries(values).map(([name, value]) => `"${name}":${value}`)}}`);

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
      .tuple(fc.constantFrom('revenue', 'total', 'value'), amount, fc.constantFrom('"usd"', '"EUR"', '"euro"', 'null'))
      .map(([name, text, currency]) => `{"properties":{"${name}":${text},"currency":${currency}}}`),
  }),
);

/** Events whose message ids are distinct unless their sources are. */
export const events = (options: { maxLength?: number; identifiers?: number } = {}): fc.Arbitrary<EventStitched[]> =>
  fc
    .array(
      fc.record({
        body,
        source: fc.constantFrom('ios', 'web'),
        identifier: fc.nat((options.identifiers ?? 1) - 1),
        timestamp: fc.integer({ min: 0, max: 4 }),
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
