import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { EventCollected, Identifier } from '#schemas/generated/records.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { formatMicros, parseMicros } from '#shared/money/decimal.ts';
import { orderOf, purchasesIn } from './orders.ts';
import { seededRandom } from './random.ts';
import { type RecordedEvent, referenceFold } from './reference-fold.ts';
import { clickStream } from './visitors.ts';

const hashing = hashingWith(Buffer.alloc(32, 7));
const options = { hashing, generation: 1, now: Date.UTC(2026, 0, 3), definitions: new Definitions() };
const file = new URL('../../../test/data/cdnow_master_transactions.csv.gz', import.meta.url);
const orders = purchasesIn(gunzipSync(readFileSync(file)).toString('utf8'))
  .slice(0, 9_000)
  .map(orderOf);
const customers = [...new Set(orders.map(({ userId }) => userId))];
const stream = clickStream({
  customers,
  visitors: 300,
  until: Date.UTC(2026, 0, 2),
  random: seededRandom(3),
});

const identifier = (type: string, value: string): Identifier => ({ type, value, hash: hashing.hash(type, value) });

/** As the collector would record it. */
function recorded(event: Record<string, unknown>, source: string, received_at: number): RecordedEvent | undefined {
  const { userId, anonymousId, traits, type } = event as Record<string, string | undefined>;
  const email = (traits as { email?: string } | undefined)?.email;
  const identifiers = [
    ...(userId ? [identifier('user_id', userId)] : []),
    ...(email ? [identifier('email', email)] : []),
    ...(anonymousId ? [identifier('anonymous_id', anonymousId)] : []),
  ];
  const first = identifiers[0];
  if (!first || (type === 'track' && !event.event)) return undefined;
  const at = Number(new Date(event.timestamp as string));
  const value: EventCollected = {
    message_id: event.messageId as string,
    type: type as string,
    event: (event.event as string) ?? null,
    source,
    user_id: userId ?? null,
    anonymous_id: anonymousId ?? null,
    original_timestamp: at,
    sent_at: null,
    received_at,
    timestamp: at,
    flags: [],
    kind: 'person',
    identifiers,
    payload: JSON.stringify(event),
    ip: null,
    enrichment: '{}',
    consents: [],
    currency: 'USD',
    definitions: [],
    generation: 1,
  };
  return { partition: Number.parseInt(first.hash[0] as string, 16) % 4, key: first.hash, value };
}

test('gives each customer one profile with every cent, whichever order the events came in', async () => {
  const received = Date.UTC(2026, 0, 2);
  const events = [
    ...orders.map((order, i) => recorded({ type: 'track', ...order }, 'local-server', received + i)),
    ...stream.visits.flat().map((click, i) => recorded({ ...click }, 'local-web', received + i)),
  ].filter((event) => event !== undefined);

  const reference = await referenceFold(events, options);
  const { expected, story } = stream;
  expect(reference.outcomes).toEqual({ stitched: orders.length + expected.distinct, duplicate: expected.duplicates });

  const sums = new Map<string, bigint>();
  for (const { revenue } of reference.profiles.values()) {
    for (const { currency, amount } of revenue)
      sums.set(currency, (sums.get(currency) ?? 0n) + (parseMicros(amount) ?? 0n));
  }
  const dollars = orders.reduce((sum, { properties }) => sum + BigInt(Math.round(properties.revenue * 100)), 0n);
  expect(formatMicros(sums.get('USD') ?? 0n)).toBe(formatMicros(dollars * 10_000n));
  expect(formatMicros(sums.get('EUR') ?? 0n)).toBe(formatMicros(expected.cents * 10_000n));

  const profile = [...reference.profiles.values()].find(({ identifiers }) =>
    identifiers.some(({ value }) => value === story.userId),
  );
  const values = profile?.identifiers.map(({ value }) => value);
  expect(values).toEqual(expect.arrayContaining([story.userId, story.email, ...story.devices]));

  const backwards = await referenceFold(events.toReversed(), options);
  expect(backwards.digest).toBe(reference.digest);
  expect(reference.digest).not.toBe(0n);
});
