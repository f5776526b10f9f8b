import type { Edge, Identifier, Node } from '#schemas/generated/records.ts';
import { BLOCKED, links } from './strength.ts';

/** How many neighbours are too many. */
export interface Caps {
  /** With more an identifier is nobody's own, unless a profile may hold only one of its type: a person has one user id for years. */
  readonly shared: number;
  /** With more any node leaves the graph, and keeps none of them. */
  readonly kept: number;
}
export const CAPS: Caps = { shared: 64, kept: 512 };
/** Of an edge's claims those with the smallest ids are kept. */
const MAX_CLAIM_IDS = 8;

/*
 * Claims only ever make a first time earlier, add an edge, or overflow a node. So whatever order they come in, and however
 * often, the same claims leave the same node; and an unchanged node stays the same object.
 */

export const newNode = (identifier: Identifier, receivedAt: number, profileId: string): Node => ({
  identifier,
  first_received: receivedAt,
  edges: [],
  profile_id: profileId,
  version: 0,
  overflow: false,
});

export const sighted = (node: Node, receivedAt: number): Node =>
  receivedAt < node.first_received ? { ...node, first_received: receivedAt } : node;

/** The node with one more claim about it and the identifier with the hash `to`: itself, for a block. */
export function connected(
  node: Node,
  to: string,
  strength: number,
  claim: { readonly id: string; readonly receivedAt: number },
  mostKept = CAPS.kept,
): Node {
  if (node.overflow && links(strength)) return node;
  const { edges } = node;
  const at = placeOf(edges, to, strength);
  const known = edges[at];
  if (known && known.to === to && known.strength === strength) {
    const edge = strengthened(known, claim);
    return edge === known ? node : { ...node, edges: edges.with(at, edge) };
  }
  const added: Edge = { to, strength, first_received: claim.receivedAt, claim_ids: [claim.id], refused: null };
  const all = edges.toSpliced(at, 0, added);
  if (all.length <= mostKept || neighboursOf({ edges: all }).length <= mostKept) return { ...node, edges: all };
  return { ...node, edges: all.filter((edge) => !links(edge.strength)), overflow: true };
}

export const isBlocked = (node: Node): boolean =>
  node.edges.some(({ to, strength }) => strength === BLOCKED && to === node.identifier.hash);

/** Hashes of the neighbours that edges may unite a node with, each once. */
export function neighboursOf({ edges }: Pick<Node, 'edges'>): string[] {
  const found: string[] = [];
  for (const { to, strength } of edges) if (links(strength) && found.at(-1) !== to) found.push(to);
  return found;
}

/** Where the edge stands, or would: edges are sorted by neighbour, then strength. */
function placeOf(edges: readonly Edge[], to: string, strength: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const edge = edges[middle] as Edge;
    if (edge.to < to || (edge.to === to && edge.strength < strength)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function strengthened(edge: Edge, claim: { readonly id: string; readonly receivedAt: number }): Edge {
  const { claim_ids: ids } = edge;
  const isNew = !ids.includes(claim.id) && (ids.length < MAX_CLAIM_IDS || claim.id < (ids.at(-1) as string));
  if (!isNew && claim.receivedAt >= edge.first_received) return edge;
  return {
    ...edge,
    first_received: Math.min(edge.first_received, claim.receivedAt),
    claim_ids: isNew ? [...ids, claim.id].sort().slice(0, MAX_CLAIM_IDS) : ids,
  };
}
