import type { DefinitionVersion } from '#schemas/generated/records.ts';
import { type Definitions, versionOf } from '#shared/definitions/definitions.ts';
import type { DefinitionBodies } from '#shared/definitions/kinds.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';

export type RulesBody = DefinitionBodies['identity_rules'];

/** The identity rules as the linker asks them. */
export interface Rules {
  /** Place of a type among the types: 0 is the highest priority. Types that the rules do not name come last. */
  rank(type: string): number;
  /** How many identifiers of a type one profile may hold. */
  limit(type: string): number;
  /** The limit holds for those first received within less than so many milliseconds; Infinity: for ever. */
  within(type: string): number;
  /** How an observation links an identifier of this type. */
  linking(type: string): 'strong' | 'weak' | 'lookup';
  /** From how many of what a person has few of an identifier of this type counts as shared. */
  sharedFrom(type: string): number;
  readonly mostIdentifiers: number;
  readonly quarantine: RulesBody['quarantine'];
  /** What decisions under these rules are stamped with. */
  readonly versions: readonly DefinitionVersion[];
}

const UNNAMED = { type: '', limit: 5, links: 'strong' } as const;
const DAY_MS = 86_400_000;
/** A device of its own: as soon as there is a second person. */
const SEVERAL = 2;

/** @param body types are found by name, and `external_id:crm` by `external_id` where it is not named itself */
export function rulesOf(body: RulesBody, versions: readonly DefinitionVersion[] = []): Rules {
  const ranks = new Map(body.types.map(({ type }, rank) => [type, rank]));
  const rank = (type: string): number =>
    ranks.get(type) ?? ranks.get(type.split(':', 1)[0] as string) ?? body.types.length;
  const ruleOf = (type: string): RulesBody['types'][number] => body.types[rank(type)] ?? UNNAMED;
  return {
    rank,
    limit: (type) => ruleOf(type).limit,
    within: (type) => (ruleOf(type).limitDays ?? Number.POSITIVE_INFINITY) * DAY_MS,
    linking: (type) => ruleOf(type).links,
    sharedFrom: (type) => (ruleOf(type).whenShared === 'device' ? SEVERAL : body.sharedFrom),
    mostIdentifiers: body.mostIdentifiers,
    quarantine: body.quarantine,
    versions,
  };
}

/** The rules in force, or else the default ones. */
export function rulesIn(definitions: Definitions): Rules {
  const inForce = definitions.get('identity_rules', 'default');
  return inForce ? rulesOf(inForce.body, [versionOf(inForce)]) : rulesOf(defaultIdentityRules);
}
