import { momentOfLocal } from './zone.ts';

/**
 * Texts that are times, of ISO 8601: a day, or a day and a time, with or without seconds and what it is ahead of UTC. Both JavaScript and
 * ClickHouse understand this expression, and mean the same by it.
 */
export const MOMENT =
  '^([1-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(?:[T ]([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:[.]([0-9]{1,9}))?)?(Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])?)?$';

const pattern = new RegExp(MOMENT);

/** Milliseconds; undefined: it is none. @param zone of days, and of times that do not say theirs: a day is when it begins */
export function momentOf(text: string, zone: string): number | undefined {
  const [found, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', offset] =
    pattern.exec(text) ?? [];
  if (found === undefined) return undefined;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (date.getUTCDate() !== Number(day)) return undefined;
  const seconds = (Number(hour) * 60 + Number(minute)) * 60 + Number(second);
  const local = date.getTime() + seconds * 1_000 + Number(fraction.slice(0, 3).padEnd(3, '0'));
  if (offset === undefined) return momentOfLocal(zone, local);
  if (offset === 'Z') return local;
  const ahead = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(-2));
  return local - (offset.startsWith('-') ? -ahead : ahead) * 60_000;
}
