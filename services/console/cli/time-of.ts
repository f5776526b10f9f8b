import { timeIn } from '../core/times.ts';
import { Trouble } from './trouble.ts';

/** What `--as-of` says; undefined: nothing. @throws Trouble */
export function timeOf(asOf: string): number | undefined {
  if (asOf === '') return undefined;
  const time = timeIn(asOf);
  if (time === undefined) throw new Trouble(`--as-of ${asOf} is no time`, 'for example 2026-03-01T12:00:00Z', 2);
  if (time > Date.now()) throw new Trouble(`--as-of ${asOf} is still to come`, 'give a time that is past', 2);
  return time;
}
