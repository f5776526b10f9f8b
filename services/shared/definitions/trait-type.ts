import { type Aggregate, type Expression, isAggregate, isPartOfTime } from '#shared/expressions/expression.ts';

/** What the values of a trait are. A date is a text that is a time of ISO 8601, as the language has it. */
export const traitTypes = ['text', 'number', 'boolean', 'date', 'list'] as const;
export type TraitType = (typeof traitTypes)[number];

/** None: whatever events say. */
const answers: Readonly<Record<Aggregate['aggregate'], TraitType | undefined>> = {
  count: 'number',
  daysSince: 'number',
  sum: 'number',
  average: 'number',
  min: 'number',
  max: 'number',
  first: undefined,
  last: undefined,
  mostFrequent: 'text',
  uniqueList: 'list',
  uniqueCount: 'number',
};

/** What a computed trait is by what it is made of; undefined where only events say it. */
export function typeOfComputed(compute: Expression): TraitType | undefined {
  if (!isAggregate(compute)) return 'boolean';
  return isHour(compute) ? 'number' : answers[compute.aggregate];
}

/** An hour or a weekday, which are numbers. */
const isHour = (asked: Aggregate): boolean =>
  'value' in asked && isPartOfTime(asked.value) && ['first', 'last', 'mostFrequent'].includes(asked.aggregate);

/** Why a trait that is made like this cannot be said to be of this type; undefined: it can. */
export function faultOfType(type: TraitType, compute: Expression): string | undefined {
  const made = typeOfComputed(compute);
  if (made === type || (made === 'text' && type === 'date')) return undefined;
  if (made === undefined) return type === 'list' ? 'must not be list: what events say here is never one' : undefined;
  return `must be ${made}, which is what it is made into, or absent`;
}
