import type { Definitions } from '#shared/definitions/definitions.ts';

/**
 * A destination's name becomes part of topics and groups. Without dots, since `delivery.x.dead` belongs to the destination x.
 */
const USABLE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** The destinations that there are, sorted, divided by whether their names can be used. */
export function destinationNames(definitions: Definitions): {
  readonly usable: readonly string[];
  readonly unusable: readonly string[];
} {
  const names = definitions.list('destination').map(({ name }) => name);
  return { usable: names.filter((name) => USABLE.test(name)), unusable: names.filter((name) => !USABLE.test(name)) };
}

/** What to do so that what runs is what is wanted. */
export function difference(
  running: Iterable<string>,
  wanted: readonly string[],
): { readonly start: readonly string[]; readonly stop: readonly string[] } {
  const now = new Set(running);
  return { start: wanted.filter((name) => !now.has(name)), stop: [...now].filter((name) => !wanted.includes(name)) };
}
