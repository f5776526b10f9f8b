import { durationText } from '../duration-text.ts';

/** How much of something was read. */
export interface Reading {
  readonly rows: number;
  /** Of how many; 0 while that is not known. */
  readonly of: number;
  /** All was read, and what comes of it put out. */
  readonly isRead: boolean;
}

/** How far a generation is, as its topics and groups tell. */
export interface Standing {
  /** Partitions that have begun to follow the stream, and those that have told all profiles; of how many. */
  readonly begun: number;
  readonly told: number;
  readonly partitions: number;
  readonly profiles: Reading;
  /** Where claims are made anew. */
  readonly claims: Reading | undefined;
  /** What is counted: events, or offsets of Kafka, of which some are markers of transactions. */
  readonly unit: 'events' | 'offsets';
  /** Everybody who reads has come to where the topics ended when profiles had been told, or further, and has taken in what came of that. */
  readonly isSettled: boolean;
  readonly behind: Behind;
}

/** Offsets to go; markers of transactions count, so that whoever is at the end may show a few. */
export interface Behind {
  /** Of `events.stitched`. */
  readonly events: number;
  readonly claims: number;
  /** Of all else: changes of identities, and what the generation tells itself. */
  readonly rest: number;
}

export type Phase = 'starting' | 'waiting' | 'reading' | 'settling' | 'complete';

const readingsOf = ({ profiles, claims }: Pick<Standing, 'profiles' | 'claims'>): Reading[] =>
  claims ? [profiles, claims] : [profiles];

export const isAllRead = (standing: Standing): boolean => readingsOf(standing).every(({ isRead }) => isRead);

export function phaseOf(standing: Standing): Phase {
  const { begun, partitions, isSettled } = standing;
  if (isAllRead(standing)) return isSettled ? 'complete' : 'settling';
  if (readingsOf(standing).some(({ of }) => of > 0)) return 'reading';
  return partitions > 0 && begun === partitions ? 'waiting' : 'starting';
}

/** How much was read, of all that there is to be read. */
export const totalOf = (standing: Standing): { readonly rows: number; readonly of: number } =>
  readingsOf(standing).reduce((sum, { rows, of }) => ({ rows: sum.rows + rows, of: sum.of + of }), { rows: 0, of: 0 });

/** Since when this process saw it being read, and how far that was. */
export interface Since {
  readonly rows: number;
  readonly seconds: number;
}

export interface Pace {
  readonly perSecond: number;
  /** Undefined while that cannot be told. */
  readonly secondsLeft: number | undefined;
}

export function paceOf(standing: Standing, since: Since): Pace {
  const { rows, of } = totalOf(standing);
  const read = rows - since.rows;
  return {
    perSecond: since.seconds > 0 ? Math.round(read / since.seconds) : 0,
    secondsLeft: read > 0 ? Math.max(0, Math.round(((of - rows) * since.seconds) / read)) : undefined,
  };
}

/** One line, for a terminal or a log. */
export function progressLine(standing: Standing, since: Since): string {
  const { begun, told, partitions, profiles, claims, unit, behind } = standing;
  const waiting = `${behind.claims} claims and ${behind.events + behind.rest} other records wait`;
  switch (phaseOf(standing)) {
    case 'starting':
      return partitions > 0 ? `starting: ${begun} of ${partitions} partitions follow the stream` : 'starting';
    case 'waiting':
      return 'every partition follows the stream; waiting until ClickHouse has all before';
    case 'reading': {
      const { perSecond, secondsLeft } = paceOf(standing, since);
      return [
        `${shareText(profiles)} of ${profiles.of} ${unit}`,
        ...(claims ? [`claims from ${shareText(claims)} of them`] : []),
        `${perSecond}/s`,
        ...(secondsLeft === undefined ? [] : [`${durationText(secondsLeft)} left`]),
        waiting,
      ].join('  ');
    }
    case 'settling':
      return [
        `all ${profiles.of} ${unit} are read`,
        ...(told < partitions ? [`profiles of ${told} of ${partitions} partitions are told`] : []),
        waiting,
      ].join('  ');
    case 'complete':
      return `complete, and follows the stream  ${waiting}`;
  }
}

const shareText = ({ rows, of, isRead }: Reading): string =>
  `${isRead ? 100 : of === 0 ? 0 : Math.min(99, Math.floor((100 * rows) / of))} %`;
