import type { EventStitched, Identifier } from '#schemas/generated/records.ts';
import { exactId } from '#shared/identity/exact-id.ts';
import { isSpellingOf } from '#shared/identity/spelling.ts';
import { memberText } from '#shared/json/members.ts';

/** The value of an id as the collector read it. */
function idOf(payload: string, name: string): unknown {
  const text = memberText(payload, name);
  return text === undefined ? undefined : exactId(payload, name, JSON.parse(text));
}

/**
 * The two identifiers that an alias event says are one: its previous and its user id, as the collector extracted them under the
 * rules that the event met. Undefined when one of them was not usable, or both are the same.
 */
export function aliasOf({
  payload,
  identifiers,
}: Pick<EventStitched, 'payload' | 'identifiers'>): readonly [Identifier, Identifier] | undefined {
  const previousId = idOf(payload, 'previousId');
  const userId = idOf(payload, 'userId');
  const user = identifiers.find(({ type, value }) => type === 'user_id' && isSpellingOf(value, userId));
  const previous = identifiers.find(({ value, hash }) => hash !== user?.hash && isSpellingOf(value, previousId));
  return user && previous && [previous, user];
}
