import type { Definition, IdentityClaim } from '#schemas/generated/records.ts';
import { decisionId } from './claim-id.ts';

/**
 * The claim by which identity rules come into force for the linker: between the claims before and after it. One key, so that the
 * topic keeps the newest. Undefined for definitions of anything else.
 */
export function activationBy({
  kind,
  name,
  version,
  body,
  deleted,
  actor,
  reason,
  at,
}: Definition): IdentityClaim | undefined {
  if (kind !== 'identity_rules' || name !== 'default') return undefined;
  return {
    claim_id: decisionId('activate_rules', `${kind}/${name}`),
    kind: 'activate_rules',
    identifiers: [],
    message_id: null,
    source: null,
    received_at: at,
    occurred_at: null,
    actor,
    reason,
    target: null,
    // Without rules the default ones hold.
    rules: deleted ? null : body,
    weight: null,
    definitions: [{ definition: `${kind}/${name}`, version }],
    generation: 1,
  };
}
