import type { Control, Role } from '#schemas/generated/records.ts';
import type { Moment } from '#shared/task/task.ts';

/**
 * Who speaks to all. Of the tasks of all generations only those of the live one do: a switch tells these to yield, then those of another
 * what is published by then, and then that this was all. Whatever is told twice counts once: a switch that was interrupted tells all again.
 */

/** Of a partition that was never told anything. */
export const firstRole = (task: string, quiet: boolean, { partition, partitions }: Moment): Role => ({
  role: quiet ? 'quiet' : 'live',
  edition: 1,
  after: null,
  task,
  partition,
  partitions,
});

/** The same one where it changes nothing. */
export function roleAfter(known: Role, { kind, edition }: Pick<Control, 'kind' | 'edition'>): Role {
  const isNews = edition > known.edition;
  switch (kind) {
    case 'yield':
      return isNews ? { ...known, role: 'quiet', edition, after: '' } : known;
    case 'published':
      return isNews && known.role === 'quiet' ? { ...known, role: 'adopting', edition, after: null } : known;
    case 'end': {
      // Nothing may have been published.
      const isAdopting = known.role === 'adopting' && edition === known.edition;
      return isAdopting || (isNews && known.role === 'quiet')
        ? { ...known, role: 'telling', edition, after: '' }
        : known;
    }
    default:
      return known;
  }
}

/** Whether what is said for the first time is said to all. */
export const speaksToAll = ({ role }: Role): boolean => role === 'telling' || role === 'live';
