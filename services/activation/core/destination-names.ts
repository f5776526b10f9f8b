import type { Definitions } from '#shared/definitions/definitions.ts';

/**
 * A destination's name becomes part of topics and groups. Without dots, since `delivery.x.dead` belongs to the destination x.
 */
const USABLE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** The destinations that are defined, sorted, divided by whether their names can be used. */
export function destinationNames(definitions: Definitions): {
  readonly usable: readonly string[];
  readonly unusable: readonly string[];
} {
  const names = definitions.list('destination').map(({ name }) => name);
  return { usable: names.filter((name) => USABLE.test(name)), unusable: names.filter((name) => !USABLE.test(name)) };
}

/** The destinations that have a topic of requests, defined or not, sorted. */
export function destinationsWithTopics(topics: readonly string[], prefix: string): string[] {
  const start = `${prefix}delivery.`;
  return topics
    .filter((topic) => topic.startsWith(start))
    .map((topic) => topic.slice(start.length))
    .filter((name) => USABLE.test(name))
    .sort();
}
