/** A path to a value of an event: `['context', 'traits', 'email']`. */
export type Place = readonly string[];

const ids: ReadonlySet<string> = new Set(['userId', 'anonymousId', 'groupId']);
const objects: ReadonlySet<string> = new Set(['traits', 'properties', 'context']);

const ofTrait = (name: string): readonly Place[] => [
  ['traits', name],
  ['context', 'traits', name],
];

const usualPlaces: ReadonlyMap<string, readonly Place[]> = new Map<string, readonly Place[]>([
  ['user_id', [['userId']]],
  ['anonymous_id', [['anonymousId']]],
  ['email', ofTrait('email')],
  ['phone', ofTrait('phone')],
  ['device_id', [['context', 'device', 'id']]],
  // A group is nobody. Rules that want to find by it say where it stands.
  ['group_id', []],
]);

/** External ids name their own type where they stand: in `context.externalIds`. */
export const isExternal = (type: string): boolean => type === 'external_id' || type.startsWith('external_id:');

/** Where values of a type stand, the first that is usable being the event's. @param from as the rules say it, if they do */
export function placesOf(type: string, from: readonly string[] | undefined): readonly Place[] {
  if (from) return from.map((path) => path.split('.'));
  const usual = usualPlaces.get(type);
  if (usual) return usual;
  return isExternal(type) ? [] : [...ofTrait(type), ['properties', type]];
}

/** Why no event has a value at a path; undefined where one may. */
export function faultOfPlace(path: string): string | undefined {
  const [root = '', ...inside] = path.split('.');
  if (ids.has(root)) return inside.length > 0 ? `can never match: ${root} is a single value` : undefined;
  if (!objects.has(root))
    return 'can never match: it must be userId, anonymousId or groupId, or begin with traits, properties or context';
  if (inside.length === 0) return `can never match: ${root} is an object, name what is in it`;
  if (root === 'context' && inside[0] === 'externalIds')
    return 'can never match: external ids are a list, and are of the types external_id and external_id:<type>';
  return undefined;
}

/** What stands in an event at a place, if anything does. */
export function valueAt(event: object, place: Place): unknown {
  let value: unknown = event;
  for (const name of place) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
      return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}
