import type { Expression } from '#shared/expressions/expression.ts';
import type { Definitions } from './definitions.ts';

/** Of each defined trait, whether it is sensitive. */
export type SensitiveTraits = ReadonlyMap<string, boolean>;

/** A computed trait is sensitive where its definition says so, or where one is that it is made of, directly or by way of others. */
export function sensitiveTraitsIn(definitions: Definitions): SensitiveTraits {
  const traits = definitions.list('traits').map(({ name, body: { sensitivity, compute } }) => ({
    name,
    isSensitive: sensitivity === 'sensitive',
    reads: compute ? traitsReadBy(compute) : [],
  }));
  const sensitive = new Set(traits.filter(({ isSensitive }) => isSensitive).map(({ name }) => name));
  for (let before = -1; before < sensitive.size; ) {
    before = sensitive.size;
    for (const { name, reads } of traits) if (reads.some((read) => sensitive.has(read))) sensitive.add(name);
  }
  return new Map(traits.map(({ name }) => [name, sensitive.has(name)]));
}

const SAID_BY_EVENTS = /^(?:context\.)?traits\.([^.]+)/;

/** Names of the traits, computed or not, that an expression asks about, also where it looks for them in events. */
function traitsReadBy(asked: Expression): readonly string[] {
  const read = (key: string, value: unknown): readonly string[] => {
    if (typeof value === 'object' && value !== null) return Object.entries(value).flatMap(([k, v]) => read(k, v));
    if (typeof value !== 'string') return [];
    if (key === 'trait' || key === 'computed') return [value];
    const name = key === 'path' || key === 'value' ? SAID_BY_EVENTS.exec(value)?.[1] : undefined;
    return name === undefined ? [] : [name];
  };
  return read('', asked);
}
