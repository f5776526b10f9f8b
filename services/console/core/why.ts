import type { Identifier } from '#schemas/generated/records.ts';
import type { DefinitionBodies } from '#shared/definitions/kinds.ts';
import type { NamingRules } from '#shared/identity/plan.ts';
import { spellingOf } from '#shared/identity/spelling.ts';

type Rules = DefinitionBodies['identity_rules'];
type TypeRule = Rules['types'][number];

/** Of a type, found by its name, or `external_id:crm` by `external_id`; types that the rules do not name have none. */
const ruleOf = (type: string, { types }: Rules): TypeRule | undefined =>
  types.find((one) => one.type === type) ?? types.find((one) => one.type === type.split(':', 1)[0]);

const UNNAMED_LIMIT = 5;

/**
 * A limit that these identifiers together may break, as refusals name it. Where a limit holds within some days only, whether they
 * do is a matter of when they were received.
 */
export function limitBrokenBy(identifiers: readonly Identifier[], rules: Rules): string | undefined {
  const byType = Map.groupBy(identifiers, ({ type }) => type);
  for (const [type, { length }] of [...byType].sort(([a], [b]) => (a < b ? -1 : 1)))
    if (length > (ruleOf(type, rules)?.limit ?? UNNAMED_LIMIT)) return `limit:${type}`;
  return identifiers.length > rules.mostIdentifiers ? 'limit:identifiers' : undefined;
}

/** What of the rules is different for a profile of these identifiers, as far as it changes which are one. */
export function changesFor(identifiers: readonly Identifier[], before: Rules, after: Rules): string[] {
  const changes: string[] = [];
  const compare = (name: string, was: unknown, is: unknown): void => {
    if (was !== is) changes.push(`${name}: ${was ?? 'none'} → ${is ?? 'none'}`);
  };
  for (const type of [...new Set(identifiers.map((one) => one.type))].sort()) {
    const [was, is] = [ruleOf(type, before), ruleOf(type, after)];
    compare(`limit of ${type}`, was?.limit ?? UNNAMED_LIMIT, is?.limit ?? UNNAMED_LIMIT);
    compare(`limitDays of ${type}`, was?.limitDays, is?.limitDays);
    compare(`links of ${type}`, was?.links ?? 'strong', is?.links ?? 'strong');
    compare(`whenShared of ${type}`, was?.whenShared ?? 'owner', is?.whenShared ?? 'owner');
  }
  compare('sharedFrom', before.sharedFrom, after.sharedFrom);
  compare('mostIdentifiers', before.mostIdentifiers, after.mostIdentifiers);
  const order = ({ types }: Rules): string => types.map(({ type }) => type).join(', ');
  compare('order of types', order(before), order(after));
  return changes;
}

/**
 * Rules that count only for what is received from then on: they decide which identifiers an event has, as it comes. Events and claims that
 * are there keep theirs; of the order of types that is which one routes, while the order in which links are decided counts for all.
 */
export function changesForLater(before: NamingRules, after: NamingRules): string[] {
  const changes: string[] = [];
  const [was, is] = [before, after].map(({ types }) => new Map(types.map((one) => [one.type, one])));
  const names = (some: readonly (string | undefined)[]): string => some.join(', ');
  const added = after.types.filter(({ type }) => !was?.has(type)).map(({ type }) => type);
  const gone = before.types.filter(({ type }) => !is?.has(type)).map(({ type }) => type);
  if (added.length > 0) changes.push(`${names(added)} among the types`);
  if (gone.length > 0) changes.push(`${names(gone)} no longer among the types`);
  const common = ({ types }: NamingRules): NamingRules['types'] =>
    types.filter(({ type }) => was?.has(type) && is?.has(type));
  const order = (rules: NamingRules): string => names(common(rules).map(({ type }) => type));
  if (order(before) !== order(after)) changes.push('order of types');
  for (const { type, from, spelling } of common(after)) {
    const former = was?.get(type);
    if (!isSame(former?.from, from)) changes.push(`from of ${type}`);
    if ((former?.spelling ?? spellingOf(type)) !== (spelling ?? spellingOf(type))) changes.push(`spelling of ${type}`);
  }
  if (!isSame(before.blockedValues, after.blockedValues)) changes.push('blockedValues');
  if (before.phoneCountry !== after.phoneCountry) changes.push('phoneCountry');
  return changes;
}

const isSame = (one: readonly string[] = [], other: readonly string[] = []): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

/** How that is told; undefined where there is nothing of the kind. */
export const laterText = (changes: readonly string[]): string | undefined =>
  changes.length === 0
    ? undefined
    : `counts only for events that come from then on, those that are there keep their identifiers: ${changes.join(', ')}`;
