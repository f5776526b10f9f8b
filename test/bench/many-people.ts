import type { EventCollected } from '#schemas/generated/records.ts';
import type { Hashing } from '#shared/identity/hashing.ts';
import { identityStream } from '../support/identity-stream.ts';

const START = Date.UTC(2026, 0, 1);

/** The identity stream again and again, each round with its own people, one after the other, a thousand events a second. */
export function manyPeople(count: number, hashing: Hashing): EventCollected[] {
  const sample = identityStream(hashing);
  return Array.from({ length: count }, (_, n): EventCollected => {
    const round = Math.floor(n / sample.length);
    const { event } = sample[n % sample.length] as (typeof sample)[number];
    const own = round.toString(16).padStart(4, '0');
    const identifiers = event.identifiers.map(({ type, value, hash }) => ({
      type,
      value: `${value} ${own}`,
      hash: own + hash.slice(4),
    }));
    return {
      ...event,
      message_id: `${own}-${event.message_id}`,
      identifiers,
      received_at: START + n,
      timestamp: START + n,
    };
  });
}
