import type { EventCollected } from '#schemas/generated/records.ts';
import type { DefinitionBodies } from '#shared/definitions/kinds.ts';
import { rulesOf } from '#shared/identity/linking/rules.ts';

export type RulesBody = DefinitionBodies['identity_rules'];

/** Which profile an identifier is in, by its hash. */
export type ProfileOf = (hash: string) => string;

/** Whatever was ever seen together is one profile: what every limit must be better than. */
export const connectedComponents = (events: readonly EventCollected[]): ProfileOf => unite(events, () => true);

/**
 * The same limits as the rules, in the order of arrival, first come first served, as is usual: an identifier joins the profile of
 * the event's first identifier if that has room. What was refused is not looked at again, and nothing is taken back, but that
 * an identifier that is found to be shared unites nothing any more.
 */
export function arrivalOrder(events: readonly EventCollected[], body: RulesBody): ProfileOf {
  const rules = rulesOf(body);
  const members = new Map<string, Map<string, number>>();
  const userIds = new Map<string, Set<string>>();
  const countsOf = (root: string, type: string): Map<string, number> => {
    const counts = members.get(root) ?? new Map([[type, 1]]);
    members.set(root, counts);
    return counts;
  };
  const isShared = (hash: string): boolean => (userIds.get(hash)?.size ?? 0) >= body.sharedFrom;
  return unite(events, (one, other, roots, event) => {
    const user = event.identifiers.find(({ type }) => type === 'user_id')?.hash;
    for (const { hash } of [one, other]) {
      const seen = userIds.get(hash) ?? new Set();
      if (user !== undefined) seen.add(user);
      userIds.set(hash, seen);
    }
    if (isShared(one.hash) || isShared(other.hash)) return false;
    if (rules.linking(one.type) === 'lookup' || rules.linking(other.type) === 'lookup') return false;
    const [a, b] = [countsOf(roots[0], one.type), countsOf(roots[1], other.type)];
    if (roots[0] === roots[1]) return false;
    for (const [type, count] of b) if (count + (a.get(type) ?? 0) > rules.limit(type)) return false;
    for (const [type, count] of b) a.set(type, count + (a.get(type) ?? 0));
    members.delete(roots[1]);
    return true;
  });
}

type Identifier = EventCollected['identifiers'][number];

/** Goes through all pairs of first and further identifiers, event by event; roots of the second go to that of the first. */
function unite(
  events: readonly EventCollected[],
  may: (one: Identifier, other: Identifier, roots: readonly [string, string], event: EventCollected) => boolean,
): ProfileOf {
  const parents = new Map<string, string>();
  const rootOf = (hash: string): string => {
    let root = hash;
    for (let next = parents.get(root); next !== undefined; next = parents.get(root)) root = next;
    if (root !== hash) parents.set(hash, root);
    return root;
  };
  for (const event of events) {
    const [one, ...others] = event.identifiers;
    if (!one) continue;
    for (const other of others) {
      const roots = [rootOf(one.hash), rootOf(other.hash)] as const;
      if (may(one, other, roots, event) && roots[0] !== roots[1]) parents.set(roots[1], roots[0]);
    }
  }
  return rootOf;
}
