import type { IdentityClaim, Node } from '#schemas/generated/records.ts';
import type { DefinitionBodies } from '#shared/definitions/kinds.ts';
import { resolveAll } from '../../identity-stitcher/core/one-shot.ts';
import { rulesOf } from '../../identity-stitcher/core/rules.ts';

/** Identifiers that are one profile. */
export interface ClaimedProfile {
  /** Whose default profile it is. */
  readonly anchor: Pick<Node, 'identifier'>;
  readonly members: readonly Pick<Node, 'identifier'>[];
}

/** The profiles that the linker must arrive at by these claims, all of which count, under these rules: for dry runs. */
export const resolveClaims = (
  claims: readonly IdentityClaim[],
  rules: DefinitionBodies['identity_rules'],
): readonly ClaimedProfile[] => resolveAll(claims, rulesOf(rules));
