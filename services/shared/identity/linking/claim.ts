import type { Identifier, IdentityClaim } from '#schemas/generated/records.ts';
import { BLOCKED, isLinkKind, KEPT_APART, STRENGTH } from './strength.ts';
import { isTarget } from './withdrawals.ts';

/** What a claim asks of the graph. */
export type Statement =
  | {
      readonly kind: 'about';
      readonly identifiers: readonly [Identifier] | readonly [Identifier, Identifier];
      readonly strength: number;
    }
  /** Claims no longer count, or (without a target) count again. */
  | { readonly kind: 'withdraw'; readonly target: string | null }
  | { readonly kind: 'rules'; readonly rules: string | null }
  | { readonly kind: 'invalid'; readonly message: string };

/** Reads a claim; its kind decides how many identifiers it needs. */
export function statementOf({ kind, identifiers, target, rules }: IdentityClaim): Statement {
  const [one, other] = identifiers;
  if (kind === 'withdraw')
    return target === null || isTarget(target)
      ? { kind: 'withdraw', target }
      : { kind: 'invalid', message: 'the target of a withdrawal names no claims' };
  if (kind === 'activate_rules') return { kind: 'rules', rules };
  if (identifiers.length > 2 || !one) return invalid(kind, identifiers.length);
  if (kind === 'block') return other ? invalid(kind, 2) : { kind: 'about', identifiers: [one], strength: BLOCKED };
  if (kind === 'observed' && !other) return { kind: 'about', identifiers: [one], strength: STRENGTH.observed };
  if (!other || other.hash === one.hash) return invalid(kind, 1);
  if (kind === 'cannot_link') return { kind: 'about', identifiers: [one, other], strength: KEPT_APART };
  if (isLinkKind(kind)) return { kind: 'about', identifiers: [one, other], strength: STRENGTH[kind] };
  return { kind: 'invalid', message: 'a kind of claim that does not exist' };
}

const invalid = (kind: string, count: number): Statement => ({
  kind: 'invalid',
  message: `a claim of kind ${kind} cannot be about ${count} different identifiers`,
});
