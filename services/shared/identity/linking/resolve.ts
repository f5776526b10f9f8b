import type { Node } from '#schemas/generated/records.ts';
import type { Vertex } from './graph.ts';
import { Limits } from './limits.ts';
import type { Rules } from './rules.ts';
import { links, STRENGTH } from './strength.ts';

/** Identifiers that are one profile. */
export interface Group {
  /** The oldest: the profile's id is its default profile. */
  readonly anchor: Node;
  readonly members: readonly Node[];
}

/** An edge that would have broken a limit. */
export interface Refusal {
  readonly one: Node;
  readonly other: Node;
  /** `limit:<type>`, `limit:identifiers` or `cannot_link` */
  readonly reason: string;
}

export interface Resolved {
  readonly groups: readonly Group[];
  readonly refused: readonly Refusal[];
}

/** Weaker than what is observed of types that link strongly. */
const WEAK = STRENGTH.observed + 1;

interface Link {
  readonly one: number;
  readonly other: number;
  readonly strength: number;
  /** Places of the types of both ends among the rules' types: the higher number, then the lower. */
  readonly ranks: readonly [number, number];
  readonly occurredAt: number;
}

/**
 * Divides identifiers into profiles: a function of the set of claims about them, not of any order. Edges unite in canonical order:
 * the strongest first, then those between types of high priority (who logs in with an address is surer to be its owner than whoever
 * uses the same device), then the earliest to happen, then by hash; except where a profile would then hold more of a type than its
 * limit, or two identifiers that are to be kept apart. Only edges between the given ones count; leave out cut ones.
 */
export function resolve(vertices: readonly Vertex[], rules: Rules): Resolved {
  const only = vertices[0];
  if (only && vertices.length === 1) return { groups: [{ anchor: only.node, members: [only.node] }], refused: [] };
  const sorted = [...vertices].sort((a, b) => (a.node.identifier.hash < b.node.identifier.hash ? -1 : 1));
  const nodes = sorted.map(({ node }) => node);
  const { ordered, apart } = linksAmong(sorted, rules);
  const limits = new Limits(
    nodes.map(({ identifier: { type }, first_received: receivedAt }) => ({ type, receivedAt })),
    rules,
  );
  const parents = Int32Array.from(sorted.keys());
  const rootOf = (index: number): number => {
    let root = index;
    while (parents[root] !== root) root = parents[root] = parents[parents[root] as number] as number;
    return root;
  };
  const areApart = (a: number, b: number): boolean =>
    apart.some(([one, other]) => {
      const [x, y] = [rootOf(one), rootOf(other)];
      return (x === a && y === b) || (x === b && y === a);
    });
  const refused: Refusal[] = [];
  for (const { one, other } of ordered) {
    const [a, b] = [rootOf(one), rootOf(other)];
    if (a === b) continue;
    const reason = limits.broken(a, b) ?? (areApart(a, b) ? 'cannot_link' : undefined);
    if (reason) {
      refused.push({ one: nodes[one] as Node, other: nodes[other] as Node, reason });
      continue;
    }
    parents[b] = a;
    limits.unite(a, b);
  }
  const members = new Map<number, Node[]>();
  nodes.forEach((node, index) => {
    const root = rootOf(index);
    const group = members.get(root);
    if (group) group.push(node);
    else members.set(root, [node]);
  });
  return {
    groups: [...members.values()].map((members) => ({
      anchor: members.reduce((oldest, node) => (isOlder(node, oldest, rules) ? node : oldest)),
      members,
    })),
    refused,
  };
}

/** Whether observations may link these two at all. */
export const mayLink = (one: string, other: string, rules: Rules): boolean =>
  rules.linking(one) !== 'lookup' && rules.linking(other) !== 'lookup';

function linksAmong(sorted: readonly Vertex[], rules: Rules) {
  const indexOf = new Map(sorted.map(({ node }, index) => [node.identifier.hash, index]));
  const ordered: Link[] = [];
  const apart: (readonly [number, number])[] = [];
  sorted.forEach(({ node: { identifier }, edges }, one) => {
    for (const edge of edges) {
      // Both ends hold the edge; it is taken from the smaller one.
      const other = edge.to > identifier.hash ? indexOf.get(edge.to) : undefined;
      if (other === undefined) continue;
      if (edge.isApart) apart.push([one, other]);
      if (!links(edge.strength)) continue;
      const otherType = (sorted[other] as Vertex).node.identifier.type;
      if (!mayLink(identifier.type, otherType, rules)) continue;
      const weak = rules.linking(identifier.type) === 'weak' || rules.linking(otherType) === 'weak';
      const strength = weak && edge.strength === STRENGTH.observed ? WEAK : edge.strength;
      const [x, y] = [rules.rank(identifier.type), rules.rank(otherType)];
      ordered.push({ one, other, strength, ranks: x > y ? [x, y] : [y, x], occurredAt: edge.occurredAt });
    }
  });
  // Indices stand in the order of hashes.
  ordered.sort(
    (a, b) =>
      a.strength - b.strength ||
      a.ranks[0] - b.ranks[0] ||
      a.ranks[1] - b.ranks[1] ||
      a.occurredAt - b.occurredAt ||
      a.one - b.one ||
      a.other - b.other,
  );
  return { ordered, apart };
}

/** Order of age: first received time, then priority, then hash. */
const isOlder = (a: Node, b: Node, rules: Rules): boolean => {
  if (a.first_received !== b.first_received) return a.first_received < b.first_received;
  const [x, y] = [rules.rank(a.identifier.type), rules.rank(b.identifier.type)];
  return x === y ? a.identifier.hash < b.identifier.hash : x < y;
};
