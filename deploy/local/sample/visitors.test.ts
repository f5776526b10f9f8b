import { describe, expect, test } from 'vitest';
import { seededRandom } from './random.ts';
import { type ClickStream, clickStream } from './visitors.ts';

const customers = Array.from({ length: 2_000 }, (_, i) => `cdnow-${String(i + 1).padStart(5, '0')}`);
const until = Date.UTC(2026, 0, 2);
const make = (seed: number, visitors = 600): ClickStream =>
  clickStream({ customers, visitors, until, random: seededRandom(seed) });

describe('the click stream', () => {
  const stream = make(7);
  const all = stream.visits.flat();
  const isBad = ({ type, userId, anonymousId, event }: (typeof all)[number]): boolean =>
    (!userId && !anonymousId) || (type === 'track' && !event);

  test('is the same for the same seed, and another for another', () => {
    expect(make(7)).toEqual(stream);
    expect(make(8).visits).not.toEqual(stream.visits);
  });

  test('knows what to expect of it', () => {
    const { expected } = stream;
    const good = all.filter((click) => !isBad(click));
    expect(expected.sent).toBe(all.length);
    expect(expected.bad).toBe(all.length - good.length);
    expect(expected.distinct).toBe(new Set(good.map(({ messageId }) => messageId)).size);
    expect(expected.duplicates).toBe(good.length - expected.distinct);
    expect(expected.devices).toBe(new Set(all.flatMap(({ anonymousId }) => anonymousId ?? [])).size);
    const orders = new Map(good.filter(({ event }) => event).map((click) => [click.messageId, click]));
    expect(expected.orders).toBe(orders.size);
    const cents = [...orders.values()].map(({ properties }) => Math.round((properties?.revenue as number) * 100));
    expect(expected.cents).toBe(BigInt(cents.reduce((sum, one) => sum + one, 0)));
  });

  test('holds every kind of trouble that it promises', () => {
    const { expected } = stream;
    expect(expected.duplicates).toBeGreaterThan(0);
    expect(all.some(({ type, event }) => type === 'track' && !event)).toBe(true);
    expect(all.some(({ userId, anonymousId }) => !userId && !anonymousId)).toBe(true);
    const usersOf = Map.groupBy(
      all.filter(({ userId, anonymousId }) => userId && anonymousId),
      ({ anonymousId }) => anonymousId,
    );
    const shared = [...usersOf.values()].filter((clicks) => new Set(clicks.map(({ userId }) => userId)).size > 1);
    expect(shared.length).toBeGreaterThan(0);
  });

  test('tells the story of somebody with two devices of their own, anonymous at first on each', () => {
    const { story } = stream;
    expect(story.devices.length).toBeGreaterThan(1);
    for (const device of story.devices) {
      const there = all.filter(({ anonymousId }) => anonymousId === device);
      expect(there[0]?.userId).toBeUndefined();
      expect(new Set(there.flatMap(({ userId }) => userId ?? []))).toEqual(new Set([story.userId]));
    }
  });

  test('repeats an event unchanged, so that it takes the same way', () => {
    const texts = Map.groupBy(all, ({ messageId }) => messageId);
    for (const same of texts.values()) expect(new Set(same.map((click) => JSON.stringify(click))).size).toBe(1);
  });

  test('lies in the two hours before its end', () => {
    for (const { timestamp } of all) {
      expect(Date.parse(timestamp)).toBeLessThan(until);
      expect(Date.parse(timestamp)).toBeGreaterThan(until - 2 * 3_600_000);
    }
  });
});
