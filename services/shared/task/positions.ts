import { PositionContradiction } from './errors.ts';

/** What is known of one input topic's partition when it is taken over. Offsets; undefined where there is none. */
export interface Standing {
  /** For the message: topic and partition. */
  readonly place: string;
  /** Position in the task's own changelog, committed together with its outputs. */
  readonly recorded: number | undefined;
  /** The consumer group's committed offset. */
  readonly committed: number | undefined;
  readonly logStart: number;
  readonly logEnd: number;
  /** Where a group that has never run begins. */
  readonly startFrom: 'earliest' | 'latest';
}

/**
 * Where to go on. The two records of the position are written in one transaction, so they agree or something is broken: a
 * group's offset that expired, was reset by hand, or moved by a client on its own because the log no longer had what came next.
 * @throws PositionContradiction where going on would skip or repeat events
 */
export function whereToGoOn({ place, recorded, committed, logStart, logEnd, startFrom }: Standing): number {
  const refuse = (what: string): never => {
    throw new PositionContradiction(
      `${place}: ${what} (log ${logStart} to ${logEnd}, group offset ${committed ?? 'none'}, own record ${recorded ?? 'none'}). See docs/operations.md, "A task stops with position_contradiction".`,
    );
  };
  if (recorded === undefined) {
    if (startFrom === 'latest') return committed ?? logEnd;
    if (committed !== undefined && committed > logStart)
      return refuse('the group has an offset, but the task has no record of its work');
    return logStart;
  }
  if (committed === undefined) return refuse('the group’s offset is missing');
  if (committed !== recorded) return refuse('the group’s offset is not the one that the task committed');
  if (recorded < logStart) return refuse(`${logStart - recorded} records expired before they were read`);
  if (recorded > logEnd) return refuse('the log ends before the task’s position');
  return recorded;
}
