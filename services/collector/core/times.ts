/** The four times of an event, milliseconds, and what was odd about them. */
export interface Times {
  readonly original: number;
  readonly sent: number | null;
  /** Corrected by the sender's clock skew, for ordering. */
  readonly timestamp: number;
  readonly flags: readonly string[];
}

const DAY = 86_400_000;
/** Times before 1900 are nonsense, and no database here holds them. */
const EARLIEST = -2_208_988_800_000;

/** A time as SDKs write it: ISO 8601, or milliseconds since 1970. Undefined where it is neither. */
function parse(value: unknown): number | undefined {
  const time =
    typeof value === 'number' ? value : typeof value === 'string' && value !== '' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(time) && time >= EARLIEST && time < 8_640_000_000_000 ? Math.trunc(time) : undefined;
}

const given = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

/**
 * timestamp = received − (sent − original): what is left when the sender's clock is taken out. Without `sentAt`, the original.
 * More than a day ahead of the received time it is put there, so that one wrong clock cannot win every trait for ever.
 */
export function timesOf(original: unknown, sent: unknown, receivedAt: number): Times {
  const flags: string[] = [];
  const originalTime = parse(original);
  const sentTime = parse(sent);
  if (!given(original)) flags.push('no_timestamp');
  else if (originalTime === undefined) flags.push('invalid_timestamp');
  if (given(sent) && sentTime === undefined) flags.push('invalid_sent_at');
  if (sentTime !== undefined && Math.abs(receivedAt - sentTime) > DAY) flags.push('clock_skew');
  const from = originalTime ?? receivedAt;
  const corrected =
    sentTime === undefined || originalTime === undefined ? from : receivedAt - (sentTime - originalTime);
  if (corrected > receivedAt + DAY) flags.push('future_timestamp');
  const timestamp = Math.min(Math.max(corrected, EARLIEST), receivedAt + DAY);
  return { original: from, sent: sentTime ?? null, timestamp, flags };
}
