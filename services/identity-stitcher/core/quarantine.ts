import { isMoreWithin } from '#shared/identity/linking/limits.ts';
import type { Group } from '#shared/identity/linking/resolve.ts';
import type { Rules } from '#shared/identity/linking/rules.ts';

const HOUR_MS = 3_600_000;

/** Why a profile is not to be acted upon, if so: more likely several people, or a program, than one person. */
export type Quarantine = 'too_large' | 'too_fast';

/** A function of the group, not of when it came about: the same in any order of claims. */
export function quarantineOf({ members }: Group, { quarantine }: Pick<Rules, 'quarantine'>): Quarantine | null {
  const { identifiers, perHour } = quarantine;
  if (members.length > identifiers) return 'too_large';
  if (members.length <= perHour) return null;
  const times = members.map((node) => node.first_received).sort((a, b) => a - b);
  return isMoreWithin(times, perHour, HOUR_MS) ? 'too_fast' : null;
}
