import type { Identifier } from '#schemas/generated/records.ts';
import type { ProfileDifference } from './profile-differences.ts';

/**
 * How differences of a profile are told to a person, a line each: of lists only what is in one of the two, and of a profile that only one
 * has, who has it.
 * @param names of the two that are compared
 */
export function differenceTexts(differences: readonly ProfileDifference[], names: readonly [string, string]): string[] {
  const valuesAt = (wanted: string) => differences.find(({ path }) => path === wanted)?.values ?? [null, null];
  const kinds = valuesAt('kind');
  // A profile that there is has one.
  const only = kinds.findIndex((kind) => kind !== null);
  if (only >= 0 && kinds.includes(null)) {
    const identifiers = (valuesAt('identifiers')[only] ?? []) as readonly Identifier[];
    const events = valuesAt('events')[only] ?? 0;
    return [
      `only ${names[only]} has it: ${events === 1 ? '1 event' : `${events} events`} of ${identifiers.map(nameOf).join(', ')}`,
    ];
  }
  return differences.map(({ path, values: [a, b] }) => `${path}: ${valueText(path, a, b)} → ${valueText(path, b, a)}`);
}

/** Without what the other has, too. */
function valueText(path: string, value: unknown, other: unknown): string {
  if (!Array.isArray(value) || !Array.isArray(other)) return JSON.stringify(value);
  const known = new Set(other.map((one) => JSON.stringify(one)));
  const own = value.filter((one) => !known.has(JSON.stringify(one)));
  return path === 'identifiers' ? `[${own.map(nameOf).join(', ')}]` : JSON.stringify(own);
}

const nameOf = ({ type, value }: Pick<Identifier, 'type' | 'value'>): string => `${type}:${value}`;
