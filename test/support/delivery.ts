import type { EventCollected } from '#schemas/generated/records.ts';

const HOUR = 3_600_000;

/** Ways in which events that happened in one order come in another: how much later each comes, milliseconds. */
export const deliveries = {
  'shuffled within an hour': (random) => random() * HOUR,
  '10 % up to seven days late': (random) => (random() < 0.1 ? random() * 7 * 24 * HOUR : random() * HOUR),
  'wholly shuffled': (random) => random() * 1e15,
} as const satisfies Record<string, (random: () => number) => number>;

export type Delivery = keyof typeof deliveries;

/** The same events in the order in which they come; each keeps the time that it was stamped with. */
export const delivered = <T extends { readonly event: EventCollected }>(
  events: readonly T[],
  delivery: Delivery,
  random: () => number,
): T[] =>
  events
    .map((one) => ({ one, at: one.event.received_at + deliveries[delivery](random) }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);

/** The events as if they were sent in this order: received one after the other from a time on. */
export const sentAgain = <T extends { readonly event: EventCollected }>(events: readonly T[], from: number): T[] =>
  events.map((one, n) => ({ ...one, event: { ...one.event, received_at: from + n } }));

/** Two groupings of the same items. */
export interface Difference {
  readonly items: number;
  /** Items that stand in another group, once each group is compared with the one with which it has most in common. */
  readonly otherGroup: number;
  /** Items of groups that are not exactly the same: a group of ten that loses one counts ten or eleven. */
  readonly touched: number;
  /** Items whose group has another name. */
  readonly otherName: number;
}

export function differenceOf(
  items: Iterable<string>,
  a: (item: string) => string,
  b: (item: string) => string,
): Difference {
  const sizeA = new Map<string, number>();
  const sizeB = new Map<string, number>();
  const both = new Map<string, { readonly a: string; readonly b: string; size: number }>();
  let count = 0;
  let otherName = 0;
  for (const item of items) {
    const [x, y] = [a(item), b(item)];
    count++;
    if (x !== y) otherName++;
    sizeA.set(x, (sizeA.get(x) ?? 0) + 1);
    sizeB.set(y, (sizeB.get(y) ?? 0) + 1);
    const shared = both.get(`${x}\0${y}`);
    if (shared) shared.size++;
    else both.set(`${x}\0${y}`, { a: x, b: y, size: 1 });
  }
  const takenA = new Set<string>();
  const takenB = new Set<string>();
  let kept = 0;
  let same = 0;
  for (const one of [...both.values()].sort((x, y) => y.size - x.size || (x.a + x.b < y.a + y.b ? -1 : 1))) {
    if (one.size === sizeA.get(one.a) && one.size === sizeB.get(one.b)) same += one.size;
    if (takenA.has(one.a) || takenB.has(one.b)) continue;
    takenA.add(one.a);
    takenB.add(one.b);
    kept += one.size;
  }
  return { items: count, otherGroup: count - kept, touched: count - same, otherName };
}
