import type { Edge, Identifier, Node } from '#schemas/generated/records.ts';
import type { Component, Decider } from './batch-graph.ts';
import type { Cut } from './cut.ts';
import { pathsToAnchor } from './explain.ts';
import { type Group, mayLink, type Refusal, resolve } from './resolve.ts';
import type { Rules } from './rules.ts';
import { links } from './strength.ts';

/** An identifier that belongs to another profile than was last said. */
export interface Moved {
  readonly identifier: Identifier;
  readonly from: string;
  readonly to: string;
  readonly version: number;
  /** Its neighbour on the way to the anchor; none for the anchor itself. */
  readonly other: Identifier | null;
  readonly claimIds: readonly string[];
  readonly reason: string;
}

/** An edge that links nothing, and did until now. */
export interface Refused {
  readonly identifier: Identifier;
  readonly profileId: string;
  readonly version: number;
  readonly other: Identifier;
  readonly claimIds: readonly string[];
  readonly reason: string;
}

export interface Decision {
  readonly moved: readonly Moved[];
  readonly refused: readonly Refused[];
  /** The component's nodes with what was decided about them; unchanged ones are the same objects. */
  readonly nodes: readonly Node[];
  readonly decider: Decider;
}

export interface Surroundings {
  readonly rules: Rules;
  readonly profileIdOf: (hash: string) => string;
  readonly cut: (hash: string) => Cut | undefined;
  readonly node: (hash: string) => Node | undefined;
}

/** What a touched component now is, against what was last said of it. */
export function decide({ nodes, decider, cut }: Component, around: Surroundings): Decision {
  const { groups, refused: refusals } = resolve(nodes, around.rules);
  const decision = { moved: [] as Moved[], refused: [] as Refused[], nodes: [] as Node[], decider };
  const version = decider.offset + 1;
  const refusedPairs = new Map(refusals.map((refusal) => [pairOf(refusal), refusal.reason]));
  const reasonOf = (node: Node, to: string): string | null => {
    const type = around.node(to)?.identifier.type ?? '';
    if (!mayLink(node.identifier.type, type, around.rules)) return null;
    if (cut) return cut;
    return refusedPairs.get(pair(node.identifier.hash, to)) ?? around.cut(to) ?? null;
  };
  for (const group of groups) {
    const profileId = around.profileIdOf(group.anchor.identifier.hash);
    const moving = group.members.some((node) => node.profile_id !== profileId);
    const explanation = moving ? explained(group, cut, around) : undefined;
    for (const node of group.members) {
      let decided = node;
      if (explanation && node.profile_id !== profileId) {
        const step = explanation.steps.get(node.identifier.hash);
        decision.moved.push({
          identifier: node.identifier,
          from: node.profile_id,
          to: profileId,
          version,
          other: step?.to.identifier ?? null,
          claimIds: step?.edge.claim_ids ?? [],
          reason: explanation.reasonOf(node),
        });
        decided = { ...decided, profile_id: profileId, version };
      }
      const edges = markedEdges(decided, (to) => reasonOf(node, to));
      if (edges !== decided.edges) {
        for (const edge of newlyRefused(node, edges, around)) {
          const other = around.node(edge.to)?.identifier;
          if (!other) continue;
          decision.refused.push({
            identifier: node.identifier,
            profileId,
            version: decided.version,
            other,
            claimIds: edge.claim_ids,
            reason: edge.refused as string,
          });
        }
        decided = { ...decided, edges };
      }
      decision.nodes.push(decided);
    }
  }
  return decision;
}

const pair = (one: string, other: string): string => (one < other ? one + other : other + one);
const pairOf = ({ one, other }: Refusal): string => pair(one.identifier.hash, other.identifier.hash);

/** The node's edges with today's reasons why they link nothing; the same array when none changed. */
function markedEdges(node: Node, reasonOf: (to: string) => string | null): readonly Edge[] {
  let edges: Edge[] | undefined;
  node.edges.forEach((edge, at) => {
    if (!links(edge.strength)) return;
    const refused = reasonOf(edge.to);
    if (refused === edge.refused) return;
    edges ??= [...node.edges];
    edges[at] = { ...edge, refused };
  });
  return edges ?? node.edges;
}

/** Both ends hold an edge: it is told at the one with the smaller hash, unless that one overflowed and holds none. */
function* newlyRefused(node: Node, edges: readonly Edge[], around: Surroundings): Iterable<Edge> {
  const { hash } = node.identifier;
  let told = '';
  for (const edge of edges) {
    if (edge.refused === null || edge.to === told) continue;
    told = edge.to;
    if (node.edges.some((before) => before.to === edge.to && before.refused !== null)) continue;
    if (hash < edge.to || around.node(edge.to)?.overflow) yield edge;
  }
}

function explained(group: Group, cut: Cut | undefined, { rules, profileIdOf }: Surroundings) {
  const steps = pathsToAnchor(group, (one, other) => mayLink(one.identifier.type, other.identifier.type, rules));
  const ids = new Set(group.members.map((node) => profileIdOf(node.identifier.hash)));
  return {
    steps,
    reasonOf(node: Node): string {
      if (cut) return cut;
      // Its profile's anchor is not among its own any more.
      if (!ids.has(node.profile_id)) return 'split';
      return group.anchor.profile_id === node.profile_id ? 'oldest_changed' : 'linked';
    },
  };
}
