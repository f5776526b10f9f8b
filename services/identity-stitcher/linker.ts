import type { IdentityChange, Node } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import type { Hashing } from '#shared/identity/hashing.ts';
import { defineTask } from '#shared/task/task.ts';
import { discovered, mappingAfter, moved, refused } from './core/announcements.ts';
import { BatchGraph, type Decider } from './core/batch-graph.ts';
import { statementOf } from './core/claim.ts';
import { decide } from './core/decide.ts';
import { defaultProfiles } from './core/default-profiles.ts';
import type { Caps } from './core/graph.ts';
import { rulesIn } from './core/rules.ts';

export interface LinkerOptions {
  readonly hashing: Hashing;
  readonly generation: number;
  readonly caps?: Caps;
}

/** Works out from the set of claims which identifiers are one profile, and says what moved. */
export const createLinker = ({ hashing, generation, caps }: LinkerOptions) => {
  const profileIdOf = defaultProfiles(hashing);

  return defineTask({
    name: 'linker',
    inputs: { claim: topics.identityClaims },
    outputs: { mapping: topics.identityMappings, change: topics.identityChanges },
    stores: {
      /** By identifier hash. */
      node: { record: 'Node' },
    },
    process(inputs, work, definitions) {
      const rules = rulesIn(definitions);
      const graph = new BatchGraph({
        read: (hash) => work.get('node', hash),
        profileIdOf,
        rules,
        ...(caps && { caps }),
      });

      for (const input of inputs) {
        const claim = input.value;
        if (!claim) {
          // Erasure takes nodes out by itself; the graph does not remember which claims an edge had.
          work.settle(input, 'unsupported');
          continue;
        }
        const statement = statementOf(claim);
        if (statement.kind === 'invalid') {
          work.reject(input, { reason: 'invalid_claim', message: statement.message });
          continue;
        }
        if (statement.kind === 'unsupported') {
          work.settle(input, 'unsupported');
          continue;
        }
        const decider: Decider = { offset: input.offset, receivedAt: claim.received_at };
        const { one } = statement;
        let news: boolean;
        if (statement.kind === 'edge') {
          const { other, strength } = statement;
          const first = graph.claim(one, decider, { to: other.hash, strength, claimId: claim.claim_id });
          const second = graph.claim(other, decider, { to: one.hash, strength, claimId: claim.claim_id });
          news = first || second;
        } else if (statement.kind === 'block') {
          news = graph.claim(one, decider, { to: one.hash, strength: statement.strength, claimId: claim.claim_id });
        } else {
          news = graph.claim(one, decider);
        }
        work.settle(input, news ? 'applied' : 'known');
      }

      const put = (node: Node): void => work.put('node', node.identifier.hash, node);
      const stamp = { definitions: rules.versions, generation };
      const announce = (change: IdentityChange): void =>
        work.emit('change', change.profile_id, change, change.decided_at);

      for (const { node, isNew } of graph.changed()) {
        put(node);
        if (isNew) announce(discovered(node, stamp));
      }

      const around = {
        rules,
        profileIdOf,
        cut: (hash: string) => graph.cut(hash),
        node: (hash: string) => graph.node(hash),
      };
      for (const component of graph.components()) {
        const decision = decide(component, around);
        for (const node of decision.nodes) if (node !== graph.node(node.identifier.hash)) put(node);
        for (const move of decision.moved) {
          const mapping = mappingAfter(move, decision.decider, generation);
          work.emit('mapping', mapping.hash, mapping, mapping.decided_at);
          announce(moved(move, decision.decider, stamp));
        }
        for (const refusal of decision.refused) announce(refused(refusal, decision.decider, stamp));
      }
    },
  });
};
