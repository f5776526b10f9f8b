import { type AskedProfile, holdsWith, saidBy } from './evaluate.ts';
import { type Aggregate, type Condition, type Expression, leftBy, type ProfileTest } from './expression.ts';
import { changesAt as aggregateChangesAt, answerOf, type Cell } from './fold.ts';
import { momentOf } from './moment.ts';

/** A profile, and what is kept of its events for an aggregate. */
export interface KeptProfile extends AskedProfile {
  readonly cells: (asked: Aggregate) => readonly Cell[];
}

/** What of events must be kept for an expression. */
export const aggregatesIn = (asked: Expression): readonly Aggregate[] =>
  testsIn(asked).filter((one) => 'aggregate' in one);

/** The computed traits that an expression asks about. */
export const computedIn = (asked: Expression): readonly string[] => [
  ...new Set(testsIn(asked).flatMap((one) => ('computed' in one ? [one.computed] : []))),
];

/** Whether a condition holds of a profile, from what is kept. @param now milliseconds */
export const holds = (asked: Condition, profile: KeptProfile, now: number, zone = 'UTC'): boolean =>
  holdsWith(asked, profile, (one) => answerOf(one, profile.cells(one), now, zone), now, zone);

/** When a condition may next hold or not although nothing comes; undefined: never. @param now milliseconds */
export function conditionChangesAt(
  asked: Condition,
  profile: KeptProfile,
  now: number,
  zone = 'UTC',
): number | undefined {
  let next = Number.POSITIVE_INFINITY;
  for (const one of testsIn(asked)) {
    const isAggregate = 'aggregate' in one;
    const change = isAggregate ? aggregateChangesAt(one, profile.cells(one), now, zone) : undefined;
    if (change !== undefined && change > now) next = Math.min(next, change);
    if (!one.newerThan && !one.olderThan) continue;
    const value = isAggregate ? answerOf(one, profile.cells(one), now, zone) : saidBy(one, profile);
    const moment = typeof value === 'string' ? momentOf(value, zone) : undefined;
    if (moment === undefined) continue;
    for (const window of [one.newerThan, one.olderThan]) {
      const age = window && leftBy(window, moment, zone);
      if (age !== undefined && age > now) next = Math.min(next, age);
    }
  }
  return next === Number.POSITIVE_INFINITY ? undefined : next;
}

/** Expressions never change, and are asked about at each event. */
const known = new WeakMap<Expression, readonly ProfileTest[]>();

function testsIn(asked: Expression): readonly ProfileTest[] {
  let tests = known.get(asked);
  if (!tests) {
    if ('all' in asked) tests = asked.all.flatMap(testsIn);
    else if ('any' in asked) tests = asked.any.flatMap(testsIn);
    else tests = 'not' in asked ? testsIn(asked.not) : [asked as ProfileTest];
    known.set(asked, tests);
  }
  return tests;
}

/**
 * Computed traits in an order in which each comes after those that it asks about. What is asked about and is not among them is left out.
 * @returns the order, or one cycle: each asks about the next, and the last is the first
 */
export function orderOf(
  definitions: ReadonlyMap<string, Expression>,
): { readonly order: readonly string[] } | { readonly cycle: readonly string[] } {
  const order = new Set<string>();
  /** From the one begun with to the one that is looked at; a loop and not recursion, since a chain may be as long as there are traits. */
  const way: { readonly name: string; readonly open: string[] }[] = [];
  const onWay = new Set<string>();
  const enter = (name: string): void => {
    onWay.add(name);
    way.push({ name, open: computedIn(definitions.get(name) as Expression).filter((one) => definitions.has(one)) });
  };
  for (const begun of [...definitions.keys()].sort()) {
    if (!order.has(begun)) enter(begun);
    for (let last = way.at(-1); last; last = way.at(-1)) {
      const next = last.open.pop();
      if (next === undefined) {
        order.add(last.name);
        onWay.delete(last.name);
        way.pop();
      } else if (!order.has(next)) {
        if (onWay.has(next)) {
          const at = way.findIndex(({ name }) => name === next);
          return { cycle: [...way.slice(at).map(({ name }) => name), next] };
        }
        enter(next);
      }
    }
  }
  return { order: [...order] };
}
