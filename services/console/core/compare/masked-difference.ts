import type { Identifier } from '#schemas/generated/records.ts';
import type { SensitiveTraits } from '#shared/definitions/sensitive-traits.ts';
import { maskedValue } from '../masking.ts';
import type { ProfileDifference } from './profile-differences.ts';

/**
 * A difference with whatever tells who somebody is, or what may not be told of them, masked.
 * @param identifiers of the profiles: a trait may have the value of one
 */
export function maskedDifference(
  { path, values }: ProfileDifference,
  identifiers: readonly Identifier[],
  sensitive: SensitiveTraits,
): ProfileDifference {
  const telling = new Set(identifiers.map(({ value }) => value.toLowerCase()));
  const [first, second] = values.map((value) => masked(path, value, telling, sensitive));
  return { path, values: [first, second] };
}

function masked(path: string, value: unknown, telling: ReadonlySet<string>, sensitive: SensitiveTraits): unknown {
  if (value === null) return null;
  if (path === 'identifiers') return (value as readonly Identifier[]).map(maskedIdentifier);
  if (path.startsWith('traits.')) {
    const trait = value as { readonly value: string; readonly sensitivity: string };
    const isTelling = trait.value.includes('@') || telling.has(textIn(trait.value)?.toLowerCase() ?? trait.value);
    return trait.sensitivity === 'none' && !isTelling ? trait : { ...trait, value: maskedText(trait.value) };
  }
  // Not known to be harmless: not shown.
  if (path.startsWith('computed.') && sensitive.get(path.slice('computed.'.length)) !== false)
    return { ...(value as object), value: maskedText((value as { readonly value: string }).value) };
  if (path === 'groups') return (value as readonly object[]).map((group) => ({ ...group, traits: '…' }));
  return value;
}

export const maskedIdentifier = ({ type, value, hash }: Identifier): Identifier => ({
  type,
  value: maskedValue(type, value),
  hash,
});

/** Of a JSON text its ends; of an address its domain, too. */
function maskedText(json: string): string {
  const text = textIn(json);
  if (text === undefined) return '…';
  return JSON.stringify(maskedValue(text.includes('@') ? 'email' : 'text', text));
}

const textIn = (json: string): string | undefined => /^"(.*)"$/s.exec(json)?.[1];
