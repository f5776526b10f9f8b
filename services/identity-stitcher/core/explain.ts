import type { Edge, Node } from '#schemas/generated/records.ts';
import type { Group } from './resolve.ts';
import { links } from './strength.ts';

/** The first step from an identifier towards its profile's anchor. */
export interface Step {
  readonly to: Node;
  readonly edge: Edge;
}

/**
 * By hash, the first step of a shortest path over accepted edges from each member to the anchor. Within a group every edge
 * is an accepted one: what was refused stays between two groups.
 * @param accepts whether an edge between these two may link at all
 */
export function pathsToAnchor(
  { anchor, members }: Group,
  accepts: (one: Node, other: Node) => boolean,
): ReadonlyMap<string, Step> {
  const byHash = new Map(members.map((node) => [node.identifier.hash, node]));
  const steps = new Map<string, Step>();
  let frontier = [anchor];
  while (frontier.length > 0) {
    const next: Node[] = [];
    for (const node of frontier) {
      for (const { to } of node.edges) {
        const member = byHash.get(to);
        if (!member || member === anchor || steps.has(to) || !accepts(node, member)) continue;
        const edge = member.edges.find((back) => back.to === node.identifier.hash && links(back.strength));
        if (!edge) continue;
        steps.set(to, { to: node, edge });
        next.push(member);
      }
    }
    // In the order of hashes, so that of several shortest paths the same one is told.
    frontier = next.sort((a, b) => (a.identifier.hash < b.identifier.hash ? -1 : 1));
  }
  return steps;
}
