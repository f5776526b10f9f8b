/** The four times of an event, milliseconds, and what was odd about them. */
export interface Times {
  /** When it happened by the sender's clock; the received time where the sender does not say. */
  readonly original: number;
  readonly sent: number | null;
  /** Corrected by the sender's clock skew, for ordering. */
  readonly timestamp: number;
  readonly flags: readonly TimeFlag[];
}

export type TimeFlag = 'no_timestamp' | 'invalid_timestamp' | 'invalid_sent_at' | 'clock_skew' | 'future_timestamp';

const DAY = 86_400_000;
/** What ClickHouse's DateTime64 holds: 1900 to 2299. */
const EARLIEST = Date.UTC(1900, 0);
const END = Date.UTC(2299, 11, 31);

const isoTime = /^\d{4}-\d\d(?:-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?<zone>Z|[+-]\d\d:?\d\d)?)?)?$/i;

/** A time as SDKs write it: ISO 8601 (UTC where it names no zone), or milliseconds since 1970. Undefined where it is neither. */
export function timeOf(value: unknown): number | undefined {
  const time = typeof value === 'number' ? value : typeof value === 'string' ? isoToMillis(value.trim()) : Number.NaN;
  return time >= EARLIEST && time < END ? Math.trunc(time) : undefined;
}

function isoToMillis(text: string): number {
  // As `Date.prototype.toISOString` writes it, which nearly all SDKs use.
  if (text.length === 24 && text.endsWith('Z')) return Date.parse(text);
  const match = text.length <= 40 ? isoTime.exec(text) : null;
  if (!match) return Number.NaN;
  const inIso = text.replace(' ', 'T').replace(',', '.');
  return Date.parse(match.groups?.zone || text.length <= 10 ? inIso : `${inIso}Z`);
}

const given = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

/**
 * timestamp = received − (sent − original): what is left when the sender's clock is taken out. Without a time of sending, the
 * original. What would be more than a day ahead of the received time is put at the received time, so that one wrong clock
 * cannot win every trait for ever.
 * @param right taken as it is: what an event gives beside its original time, because its program said when it was
 */
export function timesOf(original: unknown, sent: unknown, receivedAt: number, right?: unknown): Times {
  const flags: TimeFlag[] = [];
  const originalTime = given(original) ? timeOf(original) : undefined;
  const sentTime = given(sent) ? timeOf(sent) : undefined;
  if (originalTime === undefined) flags.push(given(original) ? 'invalid_timestamp' : 'no_timestamp');
  if (sentTime === undefined) {
    if (given(sent)) flags.push('invalid_sent_at');
  } else if (Math.abs(receivedAt - sentTime) > DAY) flags.push('clock_skew');

  const skew = originalTime !== undefined && sentTime !== undefined ? receivedAt - sentTime : 0;
  let timestamp = timeOf(right) ?? (originalTime ?? receivedAt) + skew;
  if (timestamp > receivedAt + DAY) {
    flags.push('future_timestamp');
    timestamp = receivedAt;
  }
  return {
    original: originalTime ?? receivedAt,
    sent: sentTime ?? null,
    timestamp: Math.max(timestamp, EARLIEST),
    flags,
  };
}
