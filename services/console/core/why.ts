import type { Identifier } from '#schemas/generated/records.ts';
import type { DefinitionBodies } from '#shared/definitions/kinds.ts';

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

/** Rules that count for what is received from then on, and change nothing about claims that are there. */
export function changesForLater(before: Rules, after: Rules): string[] {
  const later = ({ types, blockedValues, phoneCountry }: Rules) => ({
    'places and spelling': types.map(({ type, from, spelling }) => ({ type, from, spelling })),
    blockedValues,
    phoneCountry,
  });
  const [was, is] = [later(before), later(after)];
  return (Object.keys(was) as (keyof typeof was)[]).filter(
    (name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]),
  );
}
