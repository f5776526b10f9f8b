import type { Node } from '#schemas/generated/records.ts';
import { CAPS, type Caps, type IsActive } from './graph.ts';
import type { Rules } from './rules.ts';
import { BLOCKED } from './strength.ts';

/** Why an identifier links nothing at all. */
export type Cut = 'blocked' | 'shared';

/**
 * Whether an identifier leaves the graph before components are formed: a person blocked it, or it was seen with too many of what
 * a person has few of, or with too many neighbours, to be anybody's own. A function of the claims about it, and of the rules.
 */
export function cutOf(node: Node, isActive: IsActive, rules: Rules, caps: Caps = CAPS): Cut | undefined {
  if (node.claims.some((claim) => claim.strength === BLOCKED && isActive(claim))) return 'blocked';
  const { type } = node.identifier;
  if (node.neighbours > caps.kept || (node.neighbours > caps.shared && rules.limit(type) > 1)) return 'shared';
  const from = rules.sharedFrom(type);
  if (node.neighbours < from) return undefined;
  const rank = rules.rank(type);
  for (const [other, count] of Object.entries(node.types))
    if (count >= from && rules.rank(other) < rank && rules.limit(other) < from) return 'shared';
  return undefined;
}
