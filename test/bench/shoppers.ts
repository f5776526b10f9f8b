import { hash } from 'node:crypto';
import type { EventStitched, Identifier } from '#schemas/generated/records.ts';
import type { Input } from '#shared/task/task.ts';
import { People } from './people.ts';

/*
 * Events of shoppers as they come to the projector, and ten computed traits that a shop asks for.
 */

const DAY_MS = 86_400_000;
/** How far back the oldest event lies. */
const DAYS = 30;
export const NOW = Date.UTC(2026, 2, 14, 12);

const order = { event: 'Order Completed' };
const revenue = 'properties.revenue';
/** By name what each computes. */
export const tenTraits = {
  bench_orders: { aggregate: 'count', of: order },
  bench_revenue: { aggregate: 'sum', of: order, value: revenue },
  bench_orders_in_30_days: { aggregate: 'count', of: order, within: { days: 30 } },
  bench_revenue_in_90_days: { aggregate: 'sum', of: order, value: revenue, within: { days: 90 } },
  bench_average_order: { aggregate: 'average', of: order, value: revenue, within: { days: 365 } },
  bench_days_since_order: { aggregate: 'daysSince', of: order },
  bench_views_in_7_days: { aggregate: 'count', of: { event: 'Product Viewed' }, within: { days: 7 } },
  bench_category: { aggregate: 'mostFrequent', of: { event: 'Product Viewed' }, value: 'properties.category' },
  bench_pages_in_30_days: {
    aggregate: 'uniqueCount',
    of: { type: 'page' },
    value: 'properties.path',
    within: { days: 30 },
  },
  bench_worth_a_call: {
    all: [
      { trait: 'plan', is: 'pro' },
      { computed: 'bench_revenue', atLeast: 100 },
      { aggregate: 'count', of: { type: 'page' }, within: { days: 7 }, atLeast: 3 },
    ],
  },
} as const;

export const kinds = ['page', 'track', 'identify', 'order'] as const;
export type Kind = (typeof kinds)[number];

const context = `"context":{"library":{"name":"analytics.js","version":"npm:next-1.84.3"},"page":{"path":"/p/4711","url":"https://shop.example/p/4711","title":"A product","referrer":"https://shop.example/"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36","locale":"en-GB","timezone":"Europe/London"}`;

/** JSON text as an SDK sends it. */
export function payloadOf(kind: Kind, n: number, drawn: number): string {
  switch (kind) {
    case 'page':
      return `{"type":"page",${context},"properties":{"path":"/p/${drawn % 50}","title":"A product"}}`;
    case 'track':
      return `{"type":"track","event":"Product Viewed",${context},"properties":{"sku":"A-${drawn % 100}","category":"category ${drawn % 12}","price":19.9}}`;
    case 'identify':
      return `{"type":"identify",${context},"traits":{"email":"a@shop.example","firstName":"Ada","plan":"pro","logins":12,"address":{"city":"London"}}}`;
    case 'order':
      return `{"type":"track","event":"Order Completed",${context},"properties":{"order_id":"${n}","revenue":77.5,"currency":"USD","products":[{"sku":"A-${drawn % 100}","price":19.9,"quantity":2}]}}`;
  }
}

const events = { page: null, track: 'Product Viewed', identify: null, order: 'Order Completed' } as const;

/** Person by person, or anybody: the same arguments give the same events. */
export class Shoppers {
  readonly #people: number;
  readonly #total: number;
  readonly #visitors: People;
  #random = 1;
  #count = 0;

  /** @param total events that are spread over the days before `NOW` */
  constructor(people: number, total: number) {
    this.#people = people;
    this.#total = total;
    this.#visitors = new People(people);
  }

  /** An event of anybody: of these kinds, or 70 % page, 15 % track, 8 % identify, 7 % order. */
  next(kind?: Kind): EventStitched {
    return this.of(this.#draw(this.#people), kind);
  }

  /** The next event of visitors who were never seen before, and leave after twenty events. */
  visit(): EventStitched {
    const { person, kind } = this.#visitors.next();
    return this.of(person, kind);
  }

  of(person: number, kind: Kind = this.#kind()): EventStitched {
    const n = this.#count++;
    const timestamp = NOW - DAYS * DAY_MS + Math.floor((Math.min(1, n / this.#total) * DAYS - 1e-6) * DAY_MS);
    const identifier = identifierOf(person);
    return {
      message_id: `ajs-next-1700000000000-${n}`,
      type: kind === 'order' ? 'track' : kind,
      event: events[kind],
      source: 'local-web',
      user_id: identifier.value,
      anonymous_id: null,
      original_timestamp: timestamp,
      sent_at: timestamp,
      received_at: timestamp,
      timestamp,
      flags: [],
      kind: 'person',
      identifiers: [identifier],
      payload: payloadOf(kind, n, this.#draw(1_000)),
      ip: null,
      enrichment: '{}',
      consents: [],
      currency: 'USD',
      definitions: [],
      generation: 1,
      profile_id: profileIdOf(identifier.hash),
      mapping_version: 0,
    };
  }

  #kind(): Kind {
    const drawn = this.#draw(100);
    return drawn < 70 ? 'page' : drawn < 85 ? 'track' : drawn < 93 ? 'identify' : 'order';
  }

  #draw(below: number): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#random / 0x1_0000_0000) * below);
  }
}

function identifierOf(person: number): Identifier {
  const value = `user-${person}`;
  return { type: 'user_id', value, hash: hash('md5', value) };
}

const profileIdOf = (hash: string): string =>
  `${hash.slice(0, 8)}-${hash.slice(8, 12)}-5${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20)}`;

export const inputOf = (value: EventStitched, offset: number): Input => ({
  input: 'event',
  partition: 0,
  offset,
  key: value.profile_id,
  value,
  timestamp: value.received_at,
  raw: null,
});
