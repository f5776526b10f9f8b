import type { Node } from '#schemas/generated/records.ts';
import type { Edge, Vertex } from '#shared/identity/linking/graph.ts';
import type { Group } from '#shared/identity/linking/resolve.ts';
import { links } from '#shared/identity/linking/strength.ts';

/** The first step from an identifier towards its profile's anchor. */
export interface Step {
  readonly to: Node;
  readonly edge: Edge;
}

/**
 * By hash, the first step of a shortest path over accepted edges from each member to the anchor. Within a group every edge
 * is an accepted one: what was refused stays between two groups.
 * @param vertexOf a member by its hash
 * @param accepts whether an edge between these two may link at all
 */
export function pathsToAnchor(
  { anchor, members }: Group,
  vertexOf: (hash: string) => Vertex,
  accepts: (one: Node, other: Node) => boolean,
): ReadonlyMap<string, Step> {
  const inGroup = new Set(members.map(({ identifier }) => identifier.hash));
  const steps = new Map<string, Step>();
  let frontier = [vertexOf(anchor.identifier.hash)];
  while (frontier.length > 0) {
    const next: Vertex[] = [];
    for (const { node, edges } of frontier) {
      for (const edge of edges) {
        const { to } = edge;
        if (!links(edge.strength) || !inGroup.has(to) || to === anchor.identifier.hash || steps.has(to)) continue;
        const member = vertexOf(to);
        if (!accepts(node, member.node)) continue;
        steps.set(to, { to: node, edge });
        next.push(member);
      }
    }
    // In the order of hashes, so that of several shortest paths the same one is told.
    frontier = next.sort((a, b) => (a.node.identifier.hash < b.node.identifier.hash ? -1 : 1));
  }
  return steps;
}
