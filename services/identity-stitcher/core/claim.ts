import type { Identifier, IdentityClaim } from '#schemas/generated/records.ts';
import { BLOCKED, isLinkKind, KEPT_APART, STRENGTH } from './strength.ts';

/** What a claim asks of the graph. */
export type Statement =
  | { readonly kind: 'sighting'; readonly one: Identifier }
  | { readonly kind: 'edge'; readonly one: Identifier; readonly other: Identifier; readonly strength: number }
  | { readonly kind: 'block'; readonly one: Identifier; readonly strength: number }
  | { readonly kind: 'unsupported' }
  | { readonly kind: 'invalid'; readonly message: string };

const KNOWN_LATER = new Set(['withdraw', 'activate_rules']);

/** Reads a claim; its kind decides how many identifiers it needs. */
export function statementOf({ kind, identifiers }: IdentityClaim): Statement {
  const [one, other] = identifiers;
  if (KNOWN_LATER.has(kind)) return { kind: 'unsupported' };
  if (identifiers.length > 2 || !one) return invalid(kind, identifiers.length);
  if (kind === 'block') return other ? invalid(kind, 2) : { kind: 'block', one, strength: BLOCKED };
  if (kind === 'observed' && !other) return { kind: 'sighting', one };
  if (!other || other.hash === one.hash) return invalid(kind, 1);
  if (kind === 'cannot_link') return { kind: 'edge', one, other, strength: KEPT_APART };
  if (isLinkKind(kind)) return { kind: 'edge', one, other, strength: STRENGTH[kind] };
  return { kind: 'invalid', message: 'a kind of claim that does not exist' };
}

const invalid = (kind: string, count: number): Statement => ({
  kind: 'invalid',
  message: `a claim of kind ${kind} cannot be about ${count} different identifiers`,
});
