import type { DefinitionBodies } from '#shared/definitions/kinds.ts';
import { phoneNumbersOf, type ReadPhoneNumber } from './phone-number.ts';
import { isExternal, type Place, placesOf } from './places.ts';
import { type Spell, spellerOf, spellingOf } from './spelling.ts';

/** What of the identity rules decides which identifiers an event has. */
export type NamingRules = Pick<DefinitionBodies['identity_rules'], 'types' | 'blockedValues' | 'phoneCountry'>;

/** A type of the rules, made ready for many events. */
export interface PlannedType {
  readonly type: string;
  readonly spell: Spell;
  readonly places: readonly Place[];
}

/** Identity rules, made ready for many events. */
export interface Plan {
  /** In the order of the rules: an event is routed by its first. */
  readonly types: readonly PlannedType[];
  readonly byName: ReadonlyMap<string, PlannedType>;
  readonly hasExternal: boolean;
  readonly readPhoneNumber: ReadPhoneNumber;
}

const plans = new WeakMap<NamingRules, Plan>();

/** The plan of rules; the same for the same object, so that it is made once for each version of the definition. */
export function planOf(rules: NamingRules): Plan {
  let plan = plans.get(rules);
  if (!plan) {
    plan = makePlan(rules);
    plans.set(rules, plan);
  }
  return plan;
}

function makePlan({ types, blockedValues, phoneCountry }: NamingRules): Plan {
  const readPhoneNumber = phoneNumbersOf(phoneCountry);
  const planned = types.map(({ type, spelling, from }) => ({
    type,
    spell: spellerOf(spelling ?? spellingOf(type), readPhoneNumber, blockedValues),
    places: placesOf(type, from),
  }));
  return {
    types: planned,
    // Of two with one name the first counts: that is its place in the order.
    byName: new Map(planned.map((one) => [one.type, one] as const).reverse()),
    hasExternal: types.some(({ type }) => isExternal(type)),
    readPhoneNumber,
  };
}
