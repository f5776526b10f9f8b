/*
 * Days of a time zone. A day begins when its clocks first show it, and is never left for the one before: where clocks are put back over
 * midnight, the hour that comes again belongs to the new day. Days have 23 or 25 hours where clocks are changed, and none where one is left
 * out. What the clocks do comes from Intl, is found once for each zone and kept as a table, which SQL can be given too.
 */

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const FIRST = Date.UTC(1900, 0, 1);
const END = Date.UTC(2100, 0, 1);
/** Clocks are never changed twice within. */
const STEP = 7 * DAY_MS;
const EARLIEST = -8_640_000_000_000_000;

/** Between two changes of the clocks; milliseconds. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  /** What local time is ahead of UTC. */
  readonly offset: number;
  /** From which local time on it is this stretch that a local time is looked up in. */
  readonly localFrom: number;
  /** Number of the day that was reached before, since 1970. */
  readonly day: number;
}

const tables = new Map<string, readonly Stretch[]>();

/** @throws RangeError when there is no such zone */
export function stretchesOf(zone: string): readonly Stretch[] {
  let table = tables.get(zone);
  if (!table) {
    table = zone === 'UTC' ? [stretch(EARLIEST, -EARLIEST, 0, undefined)] : readZone(zone);
    tables.set(zone, table);
  }
  return table;
}

/** Whether there is a zone of this name, by the IANA's list. Differences to UTC are none; and names are spelled as ClickHouse knows them, too. */
export function isZone(name: string): boolean {
  if (!/^[A-Z]/.test(name)) return false;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions();
    return timeZone === name || timeZone.toLowerCase() !== name.toLowerCase();
  } catch {
    return false;
  }
}

function readZone(zone: string): readonly Stretch[] {
  const offsetAt = offsetsBy(zone);
  const changes: (readonly [at: number, offset: number])[] = [[EARLIEST, offsetAt(FIRST)]];
  for (let at = FIRST; at < END; at += STEP) {
    const before = offsetAt(at);
    if (offsetAt(at + STEP) === before) continue;
    let [low, high] = [at, at + STEP];
    while (high - low > 1_000) {
      const middle = Math.floor((low + high) / 2_000) * 1_000;
      if (offsetAt(middle) === before) low = middle;
      else high = middle;
    }
    changes.push([high, offsetAt(high)]);
  }
  const table: Stretch[] = [];
  for (const [i, [from, offset]] of changes.entries())
    table.push(stretch(from, changes[i + 1]?.[0] ?? -EARLIEST, offset, table.at(-1)?.offset));
  return table;
}

function stretch(from: number, to: number, offset: number, before: number | undefined): Stretch {
  if (before === undefined) return { from, to, offset, localFrom: EARLIEST, day: EARLIEST / DAY_MS };
  return {
    from,
    to,
    offset,
    localFrom: from + Math.max(before, offset),
    day: Math.floor((from - 1 + before) / DAY_MS),
  };
}

function offsetsBy(zone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (at) => {
    const [month = 0, day, year = 0, hour, minute, second] = (format.format(at).match(/\d+/g) ?? []).map(Number);
    return Date.UTC(year, month - 1, day, hour, minute, second) - at;
  };
}

/** The last of a table that begins no later. */
function lastFrom(table: readonly Stretch[], by: 'from' | 'localFrom', at: number): Stretch {
  let [low, high] = [0, table.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((table[middle] as Stretch)[by] <= at) low = middle;
    else high = middle;
  }
  return table[low] as Stretch;
}

/** Number of the day, since 1970, in which a moment lies. */
export function dayOf(zone: string, at: number): number {
  if (zone === 'UTC') return Math.floor(at / DAY_MS);
  const { offset, day } = lastFrom(stretchesOf(zone), 'from', at);
  return Math.max(Math.floor((at + offset) / DAY_MS), day);
}

/**
 * When clocks first show a local time, as milliseconds of UTC would be. What they leave out is when they do.
 */
export function momentOfLocal(zone: string, local: number): number {
  const { offset, to } = lastFrom(stretchesOf(zone), 'localFrom', local);
  return Math.min(local - offset, to);
}

export const startOfDay = (zone: string, day: number): number =>
  zone === 'UTC' ? day * DAY_MS : momentOfLocal(zone, day * DAY_MS);

/** What clocks show of a moment, 0 to 23; where they are put back an hour comes twice. */
export function hourOf(zone: string, at: number): number {
  const local = at + lastFrom(stretchesOf(zone), 'from', at).offset;
  return Math.floor((local - Math.floor(local / DAY_MS) * DAY_MS) / HOUR_MS);
}

/** Of the day in which a moment lies: 1, Monday, to 7. */
export function weekdayOf(zone: string, at: number): number {
  // 1 January 1970 was a Thursday.
  const sinceMonday = dayOf(zone, at) + 3;
  return sinceMonday - Math.floor(sinceMonday / 7) * 7 + 1;
}
