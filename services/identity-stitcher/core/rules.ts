import type { DefinitionVersion } from '#schemas/generated/records.ts';
import { type Definitions, versionOf } from '#shared/definitions/definitions.ts';
import type { DefinitionBodies } from '#shared/definitions/kinds.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';

/** The identity rules as the linker asks them. */
export interface Rules {
  /** Place of a type among the types: 0 is the highest priority. Types that the rules do not name come last. */
  rank(type: string): number;
  /** How many identifiers of a type one profile may hold. */
  limit(type: string): number;
  /** How an observation links an identifier of this type. */
  linking(type: string): 'strong' | 'weak' | 'lookup';
  /** From how many distinct user ids on an identifier it counts as shared. */
  readonly sharedFrom: number;
  /** What decisions under these rules are stamped with. */
  readonly versions: readonly DefinitionVersion[];
}

export type RulesBody = Pick<DefinitionBodies['identity_rules'], 'types' | 'sharedFrom'>;

const UNNAMED = { limit: 5, links: 'strong' } as const;

/** @param body types are found by name, and `external_id:crm` by `external_id` where it is not named itself */
export function rulesOf(body: RulesBody, versions: readonly DefinitionVersion[] = []): Rules {
  const ranks = new Map(body.types.map(({ type }, rank) => [type, rank]));
  const rank = (type: string): number =>
    ranks.get(type) ?? ranks.get(type.split(':', 1)[0] as string) ?? body.types.length;
  return {
    rank,
    limit: (type) => (body.types[rank(type)] ?? UNNAMED).limit,
    linking: (type) => (body.types[rank(type)] ?? UNNAMED).links,
    sharedFrom: body.sharedFrom,
    versions,
  };
}

/** The rules in force, or else the default ones. */
export function rulesIn(definitions: Definitions): Rules {
  const inForce = definitions.get('identity_rules', 'default');
  return inForce ? rulesOf(inForce.body, [versionOf(inForce)]) : rulesOf(defaultIdentityRules);
}
