import type { Identifier } from '#schemas/generated/records.ts';
import type { Hashing } from '#shared/identity/hashing.ts';
import { spellingsAskedFor } from '#shared/identity/identifiers.ts';
import type { NamingRules } from '#shared/identity/plan.ts';
import { Problem } from './problem.ts';
import type { Reference } from './reference.ts';

/**
 * The identifiers that a reference may mean, the likeliest first: as the rules in force spell it, and as it is written.
 * @throws Problem where it can be no identifier
 */
export function identifiersAskedFor(
  { type, value }: Extract<Reference, { by: 'identifier' }>,
  rules: NamingRules,
  hashing: Pick<Hashing, 'hash'>,
): Identifier[] {
  const { inForce, exact } = spellingsAskedFor(type, value, rules);
  const spelled = [...new Set([inForce, exact])].filter((one) => one !== undefined);
  if (inForce === undefined && spelled.length === 0)
    throw new Problem(400, 'invalid_identifier', `this is no usable ${type}`);
  return spelled.map((one) => ({ type, value: one, hash: hashing.hash(type, one) }));
}
