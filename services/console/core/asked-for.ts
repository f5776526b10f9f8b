import type { Identifier } from '#schemas/generated/records.ts';
import type { Hashing } from '#shared/identity/hashing.ts';
import { spellingsAskedFor } from '#shared/identity/identifiers.ts';
import type { NamingRules } from '#shared/identity/plan.ts';
import { Problem } from './problem.ts';
import type { Reference } from './reference.ts';

type ByIdentifier = Extract<Reference, { by: 'identifier' }>;

/** The identifiers that a reference may mean, the likeliest first: as the rules in force spell it, and as it is written. */
export function identifiersAskedFor(
  { type, value }: ByIdentifier,
  rules: NamingRules,
  hashing: Pick<Hashing, 'hash'>,
): Identifier[] {
  const { inForce, exact } = spellingsAskedFor(type, value, rules);
  const spelled = [...new Set([inForce, exact])].filter((one) => one !== undefined);
  return spelled.map((one) => ({ type, value: one, hash: hashing.hash(type, one) }));
}

/** Of what nobody knows. @throws Problem where it can be no identifier under the rules in force */
export function assertUsable({ type, value }: ByIdentifier, rules: NamingRules): void {
  if (spellingsAskedFor(type, value, rules).inForce === undefined)
    throw new Problem(400, 'invalid_identifier', `this is no usable ${type}`);
}
