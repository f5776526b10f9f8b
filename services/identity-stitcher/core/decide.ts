import type { Identifier, Node } from '#schemas/generated/records.ts';
import type { Cut } from '#shared/identity/linking/cut.ts';
import type { Edge, Vertex } from '#shared/identity/linking/graph.ts';
import { type Group, mayLink, type Refusal, resolve } from '#shared/identity/linking/resolve.ts';
import type { Rules } from '#shared/identity/linking/rules.ts';
import { links } from '#shared/identity/linking/strength.ts';
import type { Component, Decider } from './batch-graph.ts';
import { pathsToAnchor } from './explain.ts';
import { type Quarantine, quarantineOf } from './quarantine.ts';

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

/** A profile that is not to be acted upon from now on, or (null) may be again. */
export interface Quarantined {
  readonly anchor: Identifier;
  readonly profileId: string;
  readonly reason: Quarantine | null;
}

/** Why an edge unites nothing, at one of its ends; null where it may. */
export interface Mark {
  readonly from: string;
  readonly to: string;
  readonly refused: string | null;
}

export interface Decision {
  readonly moved: readonly Moved[];
  readonly refused: readonly Refused[];
  readonly quarantined: readonly Quarantined[];
  /** Nodes that are not as they were. */
  readonly nodes: readonly Node[];
  /** Marks that are not as they were. */
  readonly marks: readonly Mark[];
}

export interface Surroundings {
  readonly rules: Rules;
  readonly profileIdOf: (hash: string) => string;
  readonly cut: (hash: string) => Cut | undefined;
  readonly node: (hash: string) => Node | undefined;
  /** New versions are above it. */
  readonly floor: number;
}

/** What a touched component now is, against what was last said of it. */
export function decide({ vertices, decider, cut }: Component, around: Surroundings): Decision {
  const { rules, profileIdOf } = around;
  if (isAsItWas(vertices, profileIdOf)) return nothing;
  const { groups, refused: refusals } = resolve(vertices, rules);
  const moved: Moved[] = [];
  const quarantined: Quarantined[] = [];
  const nodes: Node[] = [];
  const byHash = new Map(vertices.map((vertex) => [vertex.node.identifier.hash, vertex]));
  const vertexOf = (hash: string): Vertex => byHash.get(hash) as Vertex;
  for (const group of groups) {
    const { anchor, members } = group;
    const profileId = profileIdOf(anchor.identifier.hash);
    const isMoving = members.some((node) => node.profile_id !== profileId);
    const explanation = isMoving ? explained(group, vertexOf, cut, around) : undefined;
    const reason = quarantineOf(group, rules);
    for (const node of members) {
      let decided = node;
      if (explanation && node.profile_id !== profileId) {
        const step = explanation.steps.get(node.identifier.hash);
        const version = versionAfter(node, decider, around.floor);
        moved.push({
          identifier: node.identifier,
          from: node.profile_id,
          to: profileId,
          version,
          other: step?.to.identifier ?? null,
          claimIds: step?.edge.claimIds ?? [],
          reason: explanation.reasonOf(node),
        });
        decided = { ...decided, profile_id: profileId, version };
      }
      const quarantine = node === anchor ? reason : null;
      if (quarantine !== node.quarantine) {
        decided = { ...decided, quarantine };
        const { identifier } = node;
        quarantined.push({ anchor: identifier, profileId: profileIdOf(identifier.hash), reason: quarantine });
      }
      if (decided !== node) nodes.push(decided);
    }
  }
  const refusedPairs = new Map(refusals.map((refusal) => [pairOf(refusal), refusal.reason]));
  const reasonOf = (node: Node, to: string): string | null => {
    const type = around.node(to)?.identifier.type ?? '';
    if (!mayLink(node.identifier.type, type, rules)) return null;
    return cut ?? refusedPairs.get(pair(node.identifier.hash, to)) ?? around.cut(to) ?? null;
  };
  const decidedNodes = new Map(nodes.map((node) => [node.identifier.hash, node]));
  const refused: Refused[] = [];
  const marks: Mark[] = [];
  for (const { node, edges } of vertices) {
    const { hash } = node.identifier;
    for (const edge of edges) {
      const reason = links(edge.strength) ? reasonOf(node, edge.to) : null;
      if (reason === edge.refused) continue;
      marks.push({ from: hash, to: edge.to, refused: reason });
      // Both ends hold an edge: it is told at the one with the smaller hash.
      if (reason === null || edge.refused !== null || hash > edge.to) continue;
      refused.push(refusalOf(decidedNodes.get(hash) ?? node, edge, reason, around));
    }
  }
  return { moved, refused, quarantined, nodes, marks };
}

const nothing: Decision = { moved: [], refused: [], quarantined: [], nodes: [], marks: [] };

/** Most identifiers are alone when they are new: with them there is nothing to work out. */
function isAsItWas(vertices: readonly Vertex[], profileIdOf: (hash: string) => string): boolean {
  const [only] = vertices;
  if (!only || vertices.length > 1 || only.edges.length > 0) return false;
  const { identifier, profile_id, quarantine } = only.node;
  return quarantine === null && profile_id === profileIdOf(identifier.hash);
}

/** Above that of all that was said of the identifier before, also where several batches decide under one claim. */
const versionAfter = (node: Node, { offset }: Decider, floor: number): number =>
  Math.max(offset, node.version, floor) + 1;

const pair = (one: string, other: string): string => (one < other ? one + other : other + one);
const pairOf = ({ one, other }: Refusal): string => pair(one.identifier.hash, other.identifier.hash);

const refusalOf = (node: Node, { to, claimIds }: Edge, reason: string, around: Surroundings): Refused => ({
  identifier: node.identifier,
  profileId: node.profile_id,
  version: node.version,
  other: (around.node(to) as Node).identifier,
  claimIds,
  reason,
});

function explained(
  group: Group,
  vertexOf: (hash: string) => Vertex,
  cut: Cut | undefined,
  { rules, profileIdOf }: Surroundings,
) {
  const accepts = (one: Node, other: Node): boolean => mayLink(one.identifier.type, other.identifier.type, rules);
  const steps = pathsToAnchor(group, vertexOf, accepts);
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
