import type { Identifier } from '#schemas/generated/records.ts';
import type { Hashing } from './hashing.ts';
import { isExternal, type Place, valueAt } from './places.ts';
import { type NamingRules, type PlannedType, planOf } from './plan.ts';
import { spellerOf, spellingOf } from './spelling.ts';

/** What an event can say about who it concerns; fields may hold anything that JSON can. */
export interface IdentifyingFields {
  readonly type?: unknown;
  readonly userId?: unknown;
  readonly anonymousId?: unknown;
  readonly previousId?: unknown;
  readonly groupId?: unknown;
  readonly traits?: unknown;
  readonly properties?: unknown;
  readonly context?: unknown;
}

const MOST_IDENTIFIERS = 10;

/** SDKs make anonymous ids as UUIDs. */
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Of what no rules say how to spell it. */
const spellExact = spellerOf('exact', () => undefined, []);

/**
 * The usable identifiers of an event: spelled as the rules say, each once, in the order of the rules' types; the first routes the
 * event. A type that the rules do not name is none; `external_id:crm` is named by `external_id`, too.
 *
 * A type's value is the first usable one of its places; the traits of a group call are the group's, and nobody's. The previous id
 * of an alias call is an anonymous id where it is the event's own or a UUID, and a user id else.
 * @param written the text of a number that JavaScript cannot hold, at a place of the event; undefined where that is not known
 */
export function identifiersOf(
  event: IdentifyingFields,
  rules: NamingRules,
  hashing: Pick<Hashing, 'hash'>,
  written: (place: Place) => string | undefined = () => undefined,
): Identifier[] {
  const plan = planOf(rules);
  const found: Identifier[] = [];
  const add = (type: string, value: string | undefined): void => {
    if (value !== undefined && !found.some((one) => one.value === value && one.type === type))
      found.push({ type, value, hash: hashing.hash(type, value) });
  };
  const isGroup = event.type === 'group';
  const former = event.type === 'alias' ? formerTypeOf(event) : undefined;
  const external = plan.hasExternal ? externalIdsOf(event.context) : [];

  for (const planned of plan.types) {
    const { type, spell } = planned;
    // Whom an anonymous id was for stands before whom it is for.
    if (former === type && type === 'anonymous_id') add(type, spell(event.previousId));
    add(type, usableIn(event, planned, isGroup, written));
    if (former === type && type === 'user_id') add(type, spell(event.previousId));
    if (external.length > 0 && isExternal(type)) {
      for (const one of external)
        if (one.type === type || (type === 'external_id' && !plan.byName.has(one.type))) add(one.type, spell(one.id));
    }
  }
  return found.length > MOST_IDENTIFIERS ? found.slice(0, MOST_IDENTIFIERS) : found;
}

/** The first usable value of a type, as it is spelled. */
function usableIn(
  event: IdentifyingFields,
  { places, spell }: PlannedType,
  isGroup: boolean,
  written: (place: Place) => string | undefined,
): string | undefined {
  for (const place of places) {
    if (isGroup && place[0] === 'traits') continue;
    const given = valueAt(event, place);
    if (given === undefined || given === null || given === '') continue;
    const isInexact = typeof given === 'number' && !Number.isSafeInteger(given);
    const value = spell(isInexact ? written(place) : given);
    if (value !== undefined) return value;
  }
  return undefined;
}

const formerTypeOf = ({ previousId, anonymousId }: IdentifyingFields): 'anonymous_id' | 'user_id' =>
  previousId === anonymousId || (typeof previousId === 'string' && uuid.test(previousId.trim()))
    ? 'anonymous_id'
    : 'user_id';

/** The external ids of a context that stand for themselves, with their types. */
function externalIdsOf(context: unknown): readonly { readonly type: string; readonly id: unknown }[] {
  const list = valueAt({ context }, ['context', 'externalIds']);
  if (!Array.isArray(list)) return [];
  return list.slice(0, MOST_IDENTIFIERS).flatMap((one: unknown) => {
    if (typeof one !== 'object' || one === null) return [];
    const { id, type, encoding } = one as Readonly<Record<string, unknown>>;
    if (encoding !== undefined && encoding !== null && encoding !== 'none') return [];
    // Whoever asks writes `external_id:crm:42`: a colon in the kind would end it.
    const name = spellExact(type)?.replaceAll(':', '_');
    return name === undefined ? [] : [{ type: `external_id:${name}`, id }];
  });
}

/**
 * How a value that somebody asks for may stand in identifiers: as the rules in force spell it (what they block can still be asked
 * for; undefined where it is unusable), and as it is, since an event keeps the spelling of the rules that it met.
 */
export function spellingsAskedFor(
  type: string,
  value: string,
  rules: NamingRules,
): { readonly inForce: string | undefined; readonly exact: string | undefined } {
  const named =
    rules.types.find((one) => one.type === type) ??
    (isExternal(type) ? rules.types.find((one) => one.type === 'external_id') : undefined);
  const spell = spellerOf(named?.spelling ?? spellingOf(type), planOf(rules).readPhoneNumber, []);
  return { inForce: spell(value), exact: spellExact(value) };
}
