import type { ClaimRef, Identifier, IdentityClaim, Link, Node } from '#schemas/generated/records.ts';
import { statementOf } from './claim.ts';
import { cutOf } from './cut.ts';
import { CAPS, edgeOf, NEVER, newNode, type Vertex, withClaim } from './graph.ts';
import { type Group, resolve } from './resolve.ts';
import type { Rules } from './rules.ts';
import { links } from './strength.ts';
import { targetsIn, withdrawnBy } from './withdrawals.ts';

interface Known {
  readonly identifier: Identifier;
  readonly claims: ClaimRef[];
  readonly links: Map<string, Link>;
}

/**
 * All claims at once, without batches, stores or components: what the linker must arrive at. Of a claim id that comes several times
 * the earliest times count, and of two as early the later record; of withdrawals the last. Tests compare it with the linker's mappings, and dry runs are made of it.
 * @param claims in the order of the topic
 */
export function resolveAll(claims: readonly IdentityClaim[], rules: Rules, caps = CAPS): Group[] {
  const targets = targetsIn(new Map(claims.map((claim) => [claim.claim_id, claim])).values());
  const known = new Map<string, Known>();
  for (const claim of earliest(claims)) {
    const statement = statementOf(claim);
    if (statement.kind !== 'about') continue;
    const { claim_id: id, received_at, occurred_at } = claim;
    const isActive = targets.size === 0 || withdrawnBy(claim, targets).length === 0;
    const times = { received_at, occurred_at: occurred_at ?? received_at };
    const ref: ClaimRef = { id, strength: statement.strength, ...times, origin: 0 };
    for (const one of statement.identifiers) {
      const here: Known = known.get(one.hash) ?? { identifier: one, claims: [], links: new Map() };
      known.set(one.hash, here);
      if (!isActive) continue;
      // Its age follows from all of them.
      here.claims.push(ref);
      const other = statement.identifiers.find(({ hash }) => hash !== one.hash);
      if (!other) continue;
      const link = here.links.get(other.hash) ?? { claims: [], refused: null };
      here.links.set(other.hash, { ...link, claims: withClaim(link.claims, ref) });
    }
  }
  const vertices = [...known.values()].map((one) => vertexOf(one, known));
  const counts = (): boolean => true;
  const isCut = ({ node }: Vertex): boolean => cutOf(node, counts, rules, caps) !== undefined;
  return [
    ...resolve(
      vertices.filter((vertex) => !isCut(vertex)),
      rules,
    ).groups,
    ...vertices.filter(isCut).map(({ node }): Group => ({ anchor: node, members: [node] })),
  ];
}

function earliest(claims: readonly IdentityClaim[]): Iterable<IdentityClaim> {
  const byId = new Map<string, IdentityClaim>();
  for (const claim of claims) {
    const before = byId.get(claim.claim_id);
    const occurredAt = claim.occurred_at ?? claim.received_at;
    byId.set(claim.claim_id, {
      ...(before && before.received_at < claim.received_at ? before : claim),
      occurred_at: Math.min(occurredAt, before ? (before.occurred_at ?? before.received_at) : occurredAt),
    });
  }
  return byId.values();
}

function vertexOf({ identifier, claims, links: others }: Known, known: ReadonlyMap<string, Known>): Vertex {
  const edges = [...others].map(([to, link]) => edgeOf(to, link, () => true)).sort((a, b) => (a.to < b.to ? -1 : 1));
  const neighbours = edges.filter(({ strength }) => links(strength));
  const types: Record<string, number> = {};
  for (const { to } of neighbours) {
    const type = known.get(to)?.identifier.type ?? '';
    types[type] = (types[type] ?? 0) + 1;
  }
  const age = claims.reduce((least, claim) => Math.min(least, claim.received_at), NEVER);
  const node: Node = {
    ...newNode(identifier, ''),
    first_received: age,
    claims,
    neighbours: neighbours.length,
    types,
  };
  return { node, edges };
}
