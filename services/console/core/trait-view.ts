import type { Definitions, InForce } from '#shared/definitions/definitions.ts';
import { sensitiveTraitsIn } from '#shared/definitions/sensitive-traits.ts';
import { type TraitType, typeOfComputed } from '#shared/definitions/trait-type.ts';
import { type Expression, isAggregate } from '#shared/expressions/expression.ts';
import { MOMENT } from '#shared/expressions/moment.ts';
import { editionNow } from './edition-seen.ts';

/** Where a view is made. */
export interface ViewHome {
  readonly database: string;
  /** Empty on a single server. */
  readonly cluster: string;
}

/** What the view has besides. No trait begins with an underscore, so that there is always a name for one that is called so. */
const OWN = ['profile_id', 'kind'];

/**
 * The statement that makes `profile_traits`: a row for each profile, and a typed column for each trait that is defined and not
 * sensitive. Values are read from the lists of names and values, of which no JSON has to be made.
 */
export function traitViewOf(definitions: Definitions, { database, cluster }: ViewHome): string {
  const sensitive = sensitiveTraitsIn(definitions);
  const columns = definitions
    .list('traits')
    .filter(({ name }) => sensitive.get(name) === false)
    .map((trait) => `${columnOf(trait)} AS ${asName(OWN.includes(trait.name) ? `_${trait.name}` : trait.name)}`);
  return `CREATE OR REPLACE VIEW ${asName(database)}.profile_traits ${cluster && `ON CLUSTER ${asText(cluster)}`} AS
SELECT ${[...OWN, ...columns].join(',\n  ')}
FROM (
  SELECT profile_id, kind, traits.name AS _names, traits.value AS _values, traits.sensitivity AS _sensitivities,
    computed.name AS _computed_names, computed.value AS _computed_values
  FROM ${asName(database)}.profiles_latest FINAL
  PREWHERE edition <= ${editionNow(`${asName(database)}.generations_now`)}
  WHERE NOT gone
)
SETTINGS do_not_merge_across_partitions_select_final = 0`;
}

function columnOf({ name, body: { type, compute } }: InForce<'traits'>): string {
  const called = asText(name);
  if (compute) {
    const value = `_computed_values[indexOf(_computed_names, ${called})]`;
    return isWhole(compute) ? `toInt64OrNull(${value})` : columns[type ?? typeOfComputed(compute) ?? 'any'](value);
  }
  const at = `indexOf(_names, ${called})`;
  // What was said while the trait was sensitive stays so, here as elsewhere.
  const value = `if(_sensitivities[${at}] IN ('none', 'personal'), _values[${at}], '')`;
  return columns[type ?? 'any'](value);
}

/** Counts, of events, days and texts. */
const isWhole = (compute: Expression): boolean =>
  isAggregate(compute) && ['count', 'daysSince', 'uniqueCount'].includes(compute.aggregate);

/** A value, which is JSON or empty where there is none, as a column; of another type it is NULL, or an empty list. */
const columns: Readonly<Record<TraitType | 'any', (json: string) => string>> = {
  text: (json) => `if(startsWith(${json}, '"'), JSONExtract(${json}, 'Nullable(String)'), NULL)`,
  number: (json) => `if(isFinite(toFloat64OrNull(${json})), toFloat64OrNull(${json}), NULL)`,
  boolean: (json) => `multiIf(${json} = 'true', true, ${json} = 'false', false, NULL)`,
  date: (json) =>
    `if(match(JSONExtractString(${json}), ${asText(MOMENT)}), parseDateTime64BestEffortOrNull(JSONExtractString(${json}), 3, 'UTC'), NULL)`,
  list: (json) =>
    `arrayMap(one -> if(startsWith(one, '"'), JSONExtractString(one), one), JSONExtractArrayRaw(${json}))`,
  any: (json) =>
    `multiIf(${json} = '', NULL, startsWith(${json}, '"'), JSONExtract(${json}, 'Nullable(String)'), ${json})`,
};

const escaped = (text: string): string => text.replaceAll('\\', '\\\\');
const asText = (text: string): string => `'${escaped(text).replaceAll("'", "\\'")}'`;
const asName = (name: string): string => `\`${escaped(name).replaceAll('`', '\\`')}\``;
