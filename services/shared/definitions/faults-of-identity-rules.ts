import { isSupportedCountry } from 'libphonenumber-js/max';
import { faultOfPlace } from '#shared/identity/places.ts';
import type { DefinitionBodies } from './kinds.ts';

interface Fault {
  /** From the definition's `spec`. */
  readonly path: readonly PropertyKey[];
  readonly wrong: string;
}

const typeName = /^(external_id:[^:\s]+|[A-Za-z_][\w-]*)$/;

/** What is wrong with identity rules that have the right shape. */
export function faultsOfIdentityRules({ types, phoneCountry }: DefinitionBodies['identity_rules']): Fault[] {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  for (const [i, { type, limit, limitDays, from = [] }] of types.entries()) {
    const say = (field: string, wrong: string, ...inside: readonly PropertyKey[]): void => {
      faults.push({ path: ['types', i, field, ...inside], wrong });
    };
    if (seen.has(type)) say('type', `${type} is there twice`);
    seen.add(type);
    if (!typeName.test(type)) say('type', 'must be a name such as loyalty_card, or external_id:<type>');
    if (type === 'profile_id') say('type', 'is what profiles are asked for by, and no identifier of an event');
    if (type === 'user_id') {
      if (limit !== 1) say('limit', 'must be 1: two user ids are two people');
      if (limitDays !== undefined) say('limitDays', 'must be absent: one person has one user id for ever');
    }
    if (type === 'external_id' && from.length > 0)
      say(
        'from',
        'must be absent: external ids stand in context.externalIds; external_id:<type> may have other places',
      );
    for (const [n, path] of from.entries()) {
      const fault = faultOfPlace(path);
      if (fault) say('from', fault, n);
    }
  }
  if (!seen.has('user_id')) faults.push({ path: ['types'], wrong: 'must have user_id: it is what tells people apart' });
  if (phoneCountry !== undefined && !isSupportedCountry(phoneCountry))
    faults.push({ path: ['phoneCountry'], wrong: `${phoneCountry} is no country with phone numbers` });
  return faults;
}
