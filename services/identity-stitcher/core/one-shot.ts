import type { IdentityClaim, Node } from '#schemas/generated/records.ts';
import { statementOf } from './claim.ts';
import { cutOf } from './cut.ts';
import { CAPS, connected, newNode, sighted } from './graph.ts';
import { type Group, resolve } from './resolve.ts';
import type { Rules } from './rules.ts';

/**
 * All claims at once, without batches, stores or components: what the linker must arrive at. Tests compare it with the
 * linker's mappings, and a dry run of other rules can be made of it.
 */
export function resolveAll(claims: readonly IdentityClaim[], rules: Rules, caps = CAPS): Group[] {
  const nodes = new Map<string, Node>();
  for (const { claim_id: id, received_at: receivedAt, ...claim } of claims) {
    const statement = statementOf({ claim_id: id, received_at: receivedAt, ...claim });
    if (statement.kind === 'invalid' || statement.kind === 'unsupported') continue;
    for (const one of claim.identifiers) {
      let node = sighted(nodes.get(one.hash) ?? newNode(one, receivedAt, ''), receivedAt);
      if (statement.kind !== 'sighting') {
        const other = claim.identifiers.find(({ hash }) => hash !== one.hash) ?? one;
        node = connected(node, other.hash, statement.strength, { id, receivedAt }, caps.kept);
      }
      nodes.set(one.hash, node);
    }
  }
  const typeOf = (hash: string): string | undefined => nodes.get(hash)?.identifier.type;
  const isCut = (node: Node): boolean => cutOf(node, typeOf, rules, caps) !== undefined;
  const all = [...nodes.values()];
  return [
    ...resolve(
      all.filter((node) => !isCut(node)),
      rules,
    ).groups,
    ...all.filter(isCut).map((node): Group => ({ anchor: node, members: [node] })),
  ];
}
