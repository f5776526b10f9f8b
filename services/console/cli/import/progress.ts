import { durationText } from '../duration-text.ts';

/** How far an import is. */
export interface Progress {
  /** Bytes of the file as it lies there, packed or not. */
  readonly bytes: number;
  /** Undefined where it is not known: it is piped in. */
  readonly of: number | undefined;
  /** What the pace is taken from. */
  readonly since: { readonly rows: number; readonly bytes: number; readonly seconds: number };
  readonly accepted: number;
  readonly rejected: number;
}

export interface Pace {
  readonly rowsPerSecond: number;
  readonly secondsLeft: number | undefined;
}

export function paceOf({ bytes, of, since }: Progress): Pace {
  const isKnown = of !== undefined && since.bytes > 0;
  return {
    rowsPerSecond: since.seconds > 0 ? Math.round(since.rows / since.seconds) : 0,
    secondsLeft: isKnown ? Math.max(0, Math.round(((of - bytes) * since.seconds) / since.bytes)) : undefined,
  };
}

/** One line for a terminal. */
export function progressLine(progress: Progress): string {
  const { bytes, of, accepted, rejected } = progress;
  const { rowsPerSecond, secondsLeft } = paceOf(progress);
  const parts = [
    of === undefined ? megabytes(bytes) : `${of === 0 ? 100 : Math.floor((100 * bytes) / of)} % of ${megabytes(of)}`,
    `${accepted} accepted`,
    ...(rejected > 0 ? [`${rejected} rejected`] : []),
    `${rowsPerSecond} rows/s`,
    ...(secondsLeft === undefined ? [] : [`${durationText(secondsLeft)} left`]),
  ];
  return parts.join('  ');
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
