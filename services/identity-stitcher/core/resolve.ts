import type { Node } from '#schemas/generated/records.ts';
import type { Rules } from './rules.ts';
import { KEPT_APART, links, STRENGTH } from './strength.ts';

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
  /** `limit:<type>` or `cannot_link` */
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
  readonly receivedAt: number;
}

/**
 * Divides nodes into profiles: a function of the set of claims in them, not of any order. Edges unite in canonical order
 * (strength, first received time, smaller hash, larger hash), except where a profile would then hold more of a type than its
 * limit, or two identifiers that are to be kept apart. Only edges between the given nodes count; leave out cut ones.
 */
export function resolve(nodes: readonly Node[], rules: Rules): Resolved {
  const only = nodes[0];
  if (only && nodes.length === 1) return { groups: [{ anchor: only, members: nodes }], refused: [] };
  const sorted = [...nodes].sort((a, b) => (a.identifier.hash < b.identifier.hash ? -1 : 1));
  const indexOf = new Map(sorted.map((node, index) => [node.identifier.hash, index]));
  const { ordered, apart } = linksAmong(sorted, indexOf, rules);
  const types = [...new Set(sorted.map(({ identifier }) => identifier.type))].sort(
    (a, b) => rules.rank(a) - rules.rank(b) || (a < b ? -1 : 1),
  );
  const limits = types.map((type) => rules.limit(type));
  const width = types.length;
  const counts = new Int32Array(sorted.length * width);
  sorted.forEach((node, index) => {
    counts[index * width + types.indexOf(node.identifier.type)] = 1;
  });
  const parents = Int32Array.from(sorted.keys());
  const rootOf = (index: number): number => {
    let root = index;
    while (parents[root] !== root) root = parents[root] = parents[parents[root] as number] as number;
    return root;
  };
  const objection = (a: number, b: number): string | undefined => {
    for (let t = 0; t < width; t++) {
      const sum = (counts[a * width + t] as number) + (counts[b * width + t] as number);
      if (sum > (limits[t] as number)) return `limit:${types[t]}`;
    }
    for (const [one, other] of apart) {
      const [x, y] = [rootOf(one), rootOf(other)];
      if ((x === a && y === b) || (x === b && y === a)) return 'cannot_link';
    }
    return undefined;
  };
  const refused: Refusal[] = [];
  for (const { one, other } of ordered) {
    const [a, b] = [rootOf(one), rootOf(other)];
    if (a === b) continue;
    const reason = objection(a, b);
    if (reason) {
      refused.push({ one: sorted[one] as Node, other: sorted[other] as Node, reason });
      continue;
    }
    parents[b] = a;
    for (let t = 0; t < width; t++)
      counts[a * width + t] = (counts[a * width + t] as number) + (counts[b * width + t] as number);
  }
  const groups = new Map<number, Node[]>();
  sorted.forEach((node, index) => {
    const root = rootOf(index);
    const members = groups.get(root);
    if (members) members.push(node);
    else groups.set(root, [node]);
  });
  return {
    groups: [...groups.values()].map((members) => ({
      anchor: members.reduce((oldest, node) => (isOlder(node, oldest, rules) ? node : oldest)),
      members,
    })),
    refused,
  };
}

/** Whether observations may link these two at all. */
export const mayLink = (one: string, other: string, rules: Rules): boolean =>
  rules.linking(one) !== 'lookup' && rules.linking(other) !== 'lookup';

function linksAmong(sorted: readonly Node[], indexOf: ReadonlyMap<string, number>, rules: Rules) {
  const ordered: Link[] = [];
  const apart: (readonly [number, number])[] = [];
  sorted.forEach((node, one) => {
    for (const edge of node.edges) {
      // Both ends hold the edge; it is taken from the smaller one.
      const other = edge.to > node.identifier.hash ? indexOf.get(edge.to) : undefined;
      if (other === undefined) continue;
      if (edge.strength === KEPT_APART) apart.push([one, other]);
      if (!links(edge.strength)) continue;
      const otherType = (sorted[other] as Node).identifier.type;
      if (!mayLink(node.identifier.type, otherType, rules)) continue;
      const weak = rules.linking(node.identifier.type) === 'weak' || rules.linking(otherType) === 'weak';
      const strength = weak && edge.strength === STRENGTH.observed ? WEAK : edge.strength;
      ordered.push({ one, other, strength, receivedAt: edge.first_received });
    }
  });
  // Indices stand in the order of hashes.
  ordered.sort((a, b) => a.strength - b.strength || a.receivedAt - b.receivedAt || a.one - b.one || a.other - b.other);
  return { ordered, apart };
}

/** Order of age: first received time, then priority, then hash. */
const isOlder = (a: Node, b: Node, rules: Rules): boolean => {
  if (a.first_received !== b.first_received) return a.first_received < b.first_received;
  const [x, y] = [rules.rank(a.identifier.type), rules.rank(b.identifier.type)];
  return x === y ? a.identifier.hash < b.identifier.hash : x < y;
};
