import type { ClaimRef, Identifier, Link, Node } from '#schemas/generated/records.ts';
import { KEPT_APART, links } from './strength.ts';

/** How many neighbours are too many. */
export interface Caps {
  /** With more an identifier is nobody's own, unless a profile may hold only one of its type: a person has one user id for years. */
  readonly shared: number;
  /** With more any identifier links nothing. */
  readonly kept: number;
}
export const CAPS: Caps = { shared: 64, kept: 512 };
/** Of a link's claims so many are named where it explains something. */
const MOST_CLAIM_IDS = 8;

/** What is claimed about two identifiers, seen from one of them. Only claims that count are in it. */
export interface Edge {
  readonly to: string;
  /** Of its strongest claims that unite; Infinity without any. */
  readonly strength: number;
  /** When the earliest of these was seen to happen, milliseconds. */
  readonly occurredAt: number;
  /** Of all claims that unite. */
  readonly claimIds: readonly string[];
  /** Whether the two must stay apart. */
  readonly isApart: boolean;
  /** Why it unites nothing, as was last said. */
  readonly refused: string | null;
}

/** An identifier with its edges, sorted by their other ends. */
export interface Vertex {
  readonly node: Node;
  readonly edges: readonly Edge[];
}

export type IsActive = (claim: Pick<ClaimRef, 'id' | 'origin'>) => boolean;

/** Origin of a claim that an earlier version of the software took in: it is kept under the claim's id, if at all. */
export const KEPT_BY_ID = -1;

/** When an identifier was first received of which no claim counts: the last moment that there is in JavaScript. */
export const NEVER = 8_640_000_000_000_000;

export const newNode = (identifier: Identifier, profileId: string): Node => ({
  identifier,
  first_received: NEVER,
  edges: [],
  profile_id: profileId,
  version: 0,
  overflow: false,
  claims: [],
  neighbours: 0,
  types: {},
  cut: null,
  quarantine: null,
  untold: false,
});

/**
 * The claims with one more. Of a claim that is there already the earlier times count, and where the earliest came from: of two as early
 * the later record, the one that compaction leaves. Unchanged, it is the same list.
 */
export function withClaim(claims: readonly ClaimRef[], claim: ClaimRef): readonly ClaimRef[] {
  const at = claims.findIndex(({ id }) => id >= claim.id);
  if (at < 0) return [...claims, claim];
  const known = claims[at] as ClaimRef;
  if (known.id !== claim.id) return claims.toSpliced(at, 0, claim);
  const received_at = Math.min(claim.received_at, known.received_at);
  const occurred_at = Math.min(claim.occurred_at, known.occurred_at);
  const { origin } = claim.received_at <= known.received_at ? claim : known;
  if (received_at === known.received_at && occurred_at === known.occurred_at && origin === known.origin) return claims;
  return claims.with(at, { ...known, received_at, occurred_at, origin });
}

export const withoutClaim = (claims: readonly ClaimRef[], id: string): readonly ClaimRef[] =>
  claims.some((claim) => claim.id === id) ? claims.filter((claim) => claim.id !== id) : claims;

/** Whether claims that count may unite the two. */
export const unites = ({ claims }: Pick<Link, 'claims'>, isActive: IsActive): boolean =>
  claims.some((claim) => links(claim.strength) && isActive(claim));

export function edgeOf(to: string, { claims, refused }: Link, isActive: IsActive): Edge {
  let strength = Number.POSITIVE_INFINITY;
  let occurredAt = Number.POSITIVE_INFINITY;
  let isApart = false;
  const claimIds: string[] = [];
  for (const claim of claims) {
    if (!isActive(claim)) continue;
    if (claim.strength === KEPT_APART) isApart = true;
    if (!links(claim.strength)) continue;
    if (claimIds.length < MOST_CLAIM_IDS) claimIds.push(claim.id);
    if (claim.strength > strength || (claim.strength === strength && claim.occurred_at >= occurredAt)) continue;
    strength = claim.strength;
    occurredAt = claim.occurred_at;
  }
  return { to, strength, occurredAt, claimIds, isApart, refused };
}
