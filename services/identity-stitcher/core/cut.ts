import type { Node } from '#schemas/generated/records.ts';
import { CAPS, type Caps, isBlocked, neighboursOf } from './graph.ts';
import type { Rules } from './rules.ts';

/** Why an identifier links nothing at all. */
export type Cut = 'blocked' | 'shared';

/**
 * Whether an identifier leaves the graph before components are formed: a person blocked it, or it is on too many user ids or
 * neighbours to be anybody's own. A function of the claims about the node, and of the rules.
 * @param typeOf type of the identifier with this hash
 */
export function cutOf(
  node: Node,
  typeOf: (hash: string) => string | undefined,
  rules: Rules,
  caps: Caps = CAPS,
): Cut | undefined {
  // First, because it is for ever: an overflowed node keeps no edges by which its neighbours could be told of another reason.
  if (node.overflow) return 'shared';
  if (isBlocked(node)) return 'blocked';
  if (node.edges.length < Math.min(rules.sharedFrom, caps.shared + 1)) return undefined;
  const neighbours = neighboursOf(node);
  if (neighbours.length > caps.shared && rules.limit(node.identifier.type) > 1) return 'shared';
  let userIds = 0;
  for (const hash of neighbours) if (typeOf(hash) === 'user_id' && ++userIds >= rules.sharedFrom) return 'shared';
  return undefined;
}
