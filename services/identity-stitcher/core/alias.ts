import type { EventCollected, Identifier } from '#schemas/generated/records.ts';
import { memberText } from '#shared/json/members.ts';

const textOf = (json: string | undefined): string | undefined => {
  const value: unknown = json === undefined ? undefined : JSON.parse(json);
  return typeof value === 'string' || typeof value === 'number' ? String(value).normalize('NFKC').trim() : undefined;
};

/**
 * The two identifiers that an alias event says are one: its previous and its user id, as the collector extracted them.
 * Undefined when one of them was not usable, or both are the same.
 */
export function aliasOf({ payload, identifiers }: EventCollected): readonly [Identifier, Identifier] | undefined {
  const previousId = textOf(memberText(payload, 'previousId'));
  const userId = textOf(memberText(payload, 'userId'));
  const user = identifiers.find(({ type, value }) => type === 'user_id' && value === userId);
  const previous = identifiers.find(({ value, hash }) => value === previousId && hash !== user?.hash);
  return user && previous && [previous, user];
}
