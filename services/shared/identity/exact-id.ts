import { memberText } from '#shared/json/members.ts';

/**
 * An id of an event as it was written: a number that JavaScript cannot hold exactly is two people's otherwise.
 * @param text the event's JSON text
 * @param value what it says of `name`, parsed
 */
export const exactId = (text: string, name: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isSafeInteger(value) ? memberText(text, name) : value;
