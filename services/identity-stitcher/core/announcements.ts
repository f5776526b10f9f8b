import type { DefinitionVersion, IdentityChange, IdentityMapping, Node } from '#schemas/generated/records.ts';
import type { Decider } from './batch-graph.ts';
import type { Moved, Quarantined, Refused } from './decide.ts';

/** What every change carries: the rules that were in force, and the generation. */
export interface Stamp {
  readonly definitions: readonly DefinitionVersion[];
  readonly generation: number;
}

/** An identifier seen for the first time, at its default profile. */
export const discovered = (node: Node, receivedAt: number, stamp: Stamp): IdentityChange => ({
  kind: 'discovered',
  profile_id: node.profile_id,
  identifier: node.identifier,
  to_profile_id: null,
  version: 0,
  other: null,
  reason: 'first_seen',
  claim_ids: [],
  decided_at: Math.min(node.first_received, receivedAt),
  ...stamp,
});

export const moved = (move: Moved, { receivedAt }: Decider, stamp: Stamp): IdentityChange => ({
  kind: 'moved',
  profile_id: move.from,
  identifier: move.identifier,
  to_profile_id: move.to,
  version: move.version,
  other: move.other,
  reason: move.reason,
  claim_ids: move.claimIds,
  decided_at: receivedAt,
  ...stamp,
});

export const refused = (refusal: Refused, { receivedAt }: Decider, stamp: Stamp): IdentityChange => ({
  kind: 'refused',
  profile_id: refusal.profileId,
  identifier: refusal.identifier,
  to_profile_id: null,
  version: refusal.version,
  other: refusal.other,
  reason: refusal.reason,
  claim_ids: refusal.claimIds,
  decided_at: receivedAt,
  ...stamp,
});

export const quarantined = (
  { anchor, profileId, reason }: Quarantined,
  { offset, receivedAt }: Decider,
  stamp: Stamp,
): IdentityChange => ({
  kind: reason ? 'quarantined' : 'released',
  profile_id: profileId,
  identifier: anchor,
  to_profile_id: null,
  version: offset + 1,
  other: null,
  reason: reason ?? 'in_bounds',
  claim_ids: [],
  decided_at: receivedAt,
  ...stamp,
});

export const mappingAfter = (
  move: Moved,
  { receivedAt }: Decider,
  generation: number,
  edition: number,
): IdentityMapping => ({
  hash: move.identifier.hash,
  profile_id: move.to,
  version: move.version,
  decided_at: receivedAt,
  generation,
  edition,
});
