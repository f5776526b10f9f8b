/** Year 2200, within what ClickHouse's times can hold. Milliseconds. */
export const LATEST_TIME = 7_258_118_400_000;

/** Reads a date or a time, ISO 8601, as milliseconds. Undefined where it is none, or none that ClickHouse can hold. */
export function timeIn(text: string): number | undefined {
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return time >= 0 && time <= LATEST_TIME ? time : undefined;
}
