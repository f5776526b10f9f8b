import type { EventCollected } from '#schemas/generated/records.ts';
import { exactId } from '#shared/identity/exact-id.ts';
import type { Hashing } from '#shared/identity/hashing.ts';
import { type NamingRules, planOf } from '#shared/identity/plan.ts';
import { memberText } from '#shared/json/members.ts';
import { memberOf, objectText } from './payload.ts';

/**
 * What a group call says of the group: an event of its own, of the kind account, that the group's id routes. It says nothing of the
 * person who called: whoever erases a person need not look for them here, and nothing is sent to destinations twice. Its message id follows from
 * the call's, so that a call that is sent again is a duplicate here as there.
 *
 * Undefined for other calls, for an id that identifies nobody, and where the identity rules know no `group_id`.
 * @param person the event of the person who called
 * @param groupId as the call says it, parsed
 */
export function accountEventOf(
  person: EventCollected,
  groupId: unknown,
  rules: NamingRules,
  hashing: Pick<Hashing, 'hash'>,
): EventCollected | undefined {
  if (person.type !== 'group') return undefined;
  const { payload } = person;
  const type = 'group_id';
  const value = planOf(rules)
    .byName.get(type)
    ?.spell(exactId(payload, 'groupId', groupId));
  if (value === undefined) return undefined;
  const members = ['type', 'groupId', 'traits'].flatMap((name) => {
    const text = memberText(payload, name);
    return text === undefined ? [] : [memberOf(name, text)];
  });
  return {
    ...person,
    message_id: `${person.message_id}:account`,
    user_id: null,
    anonymous_id: null,
    kind: 'account',
    identifiers: [{ type, value, hash: hashing.hash(type, value) }],
    payload: objectText(members),
    ip: null,
    enrichment: '{}',
    consents: [],
  };
}
