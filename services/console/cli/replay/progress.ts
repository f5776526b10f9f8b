import { durationText } from '../duration-text.ts';

/** How far a generation is, as its topics and groups tell. */
export interface Standing {
  /** Partitions that have begun to follow the stream, of how many. */
  readonly begun: number;
  readonly partitions: number;
  /** Events of history that were read; of how many, 0 while that is not known. */
  readonly rows: number;
  readonly of: number;
  /** All of history was read, and put out. */
  readonly isRead: boolean;
  /** Everybody who reads has come to where the topics ended when history had been read, or further. */
  readonly isSettled: boolean;
  /** Offsets to go; markers of transactions count, so that whoever is at the end may show a few. */
  readonly behind: Behind;
}

export interface Behind {
  /** Of `events.stitched`. */
  readonly events: number;
  /** Of the claims. */
  readonly claims: number;
  /** Of all else: changes of identities, and what the generation tells itself. */
  readonly rest: number;
}

export type Phase = 'starting' | 'waiting' | 'reading' | 'settling' | 'complete';

export function phaseOf({ begun, partitions, of, isRead, isSettled }: Standing): Phase {
  if (isRead) return isSettled ? 'complete' : 'settling';
  if (of > 0) return 'reading';
  return partitions > 0 && begun === partitions ? 'waiting' : 'starting';
}

/** Where reading began, as far as this process saw it. */
export interface Since {
  readonly rows: number;
  readonly seconds: number;
}

export interface Pace {
  readonly rowsPerSecond: number;
  /** Undefined while that cannot be told. */
  readonly secondsLeft: number | undefined;
}

export function paceOf({ rows, of }: Pick<Standing, 'rows' | 'of'>, since: Since): Pace {
  const read = rows - since.rows;
  return {
    rowsPerSecond: since.seconds > 0 ? Math.round(read / since.seconds) : 0,
    secondsLeft: read > 0 ? Math.max(0, Math.round(((of - rows) * since.seconds) / read)) : undefined,
  };
}

/** One line, for a terminal or a log. */
export function progressLine(standing: Standing, since: Since): string {
  const { rows, of, begun, partitions, behind } = standing;
  const waiting = `${behind.claims} claims and ${behind.events + behind.rest} other records wait`;
  switch (phaseOf(standing)) {
    case 'starting':
      return partitions > 0 ? `starting: ${begun} of ${partitions} partitions follow the stream` : 'starting';
    case 'waiting':
      return 'every partition follows the stream; waiting until history can be read';
    case 'reading': {
      const { rowsPerSecond, secondsLeft } = paceOf(standing, since);
      const left = secondsLeft === undefined ? [] : [`${durationText(secondsLeft)} left`];
      const share = `${Math.min(99, Math.floor((100 * rows) / of))} % of ${of} events`;
      return [share, `${rowsPerSecond} events/s`, ...left, waiting].join('  ');
    }
    case 'settling':
      return `all ${of} events are read  ${waiting}`;
    case 'complete':
      return `complete, and follows the stream  ${waiting}`;
  }
}
