import type { TraitFill } from '#schemas/generated/records.ts';

/** How much of the history before it has been folded into a computed trait: 1 only when all of it is. */
export const shareFilled = ({ complete, rows, of }: TraitFill): number =>
  complete ? 1 : of === 0 ? 0 : Math.min(0.99, rows / of);
