import { orderOf } from '#shared/expressions/condition.ts';
import type { Expression } from '#shared/expressions/expression.ts';
import type { InForce } from './definitions.ts';
import type { Wanted } from './validate.ts';

/** What is wrong with a definition, seen together with others. */
export interface Mistake {
  readonly kind: string;
  readonly name: string;
  /** From the definition itself, as in `['spec', 'writeKeys', 0, 'key']`. */
  readonly path: readonly PropertyKey[];
  readonly wrong: string;
}

/** Definitions that cannot be in force together. */
export class Conflict extends Error {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    super(mistakes.map(({ kind, name, path, wrong }) => `${kind}/${name} ${path.join('.')}: ${wrong}`).join('\n'));
    this.mistakes = mistakes;
  }
}

/** All that is wrong with wanted definitions beside each other, and beside those in force. */
export const mistakesAmong = (wanted: readonly Wanted[], inForce: readonly InForce[] = []): Mistake[] => [
  ...sharedWriteKeys(wanted, inForce),
  ...sharedNames(wanted, inForce),
  ...computedTraits(wanted, inForce),
];

/** So many computed traits may be in force together: each takes its part of what a profile may hold. */
export const MOST_COMPUTED_TRAITS = 100;

/** Computed traits that ask about each other in a circle would never come to an answer, and too many would make profiles too large. */
function computedTraits(wanted: readonly Wanted[], inForce: readonly InForce[]): Mistake[] {
  const asked = new Map<string, Expression>();
  for (const { kind, name, body } of [...inForce, ...wanted]) {
    if (kind !== 'traits') continue;
    const { compute } = (body ?? {}) as Partial<InForce<'traits'>['body']>;
    if (compute) asked.set(name, compute);
    else asked.delete(name);
  }
  const found = orderOf(asked);
  const cycle = 'cycle' in found ? found.cycle : undefined;
  const last = wanted.findLast(({ kind, name }) => kind === 'traits' && asked.has(name));
  const culprit = cycle ? wanted.find(({ kind, name }) => kind === 'traits' && cycle.includes(name)) : last;
  const wrong = cycle
    ? `asks about itself: ${cycle.join(' → ')}`
    : asked.size > MOST_COMPUTED_TRAITS
      ? `is one too many: with it there are ${asked.size} computed traits, at most ${MOST_COMPUTED_TRAITS} may be in force`
      : undefined;
  return culprit && wrong ? [{ kind: 'traits', name: culprit.name, path: ['spec', 'compute'], wrong }] : [];
}

/** Destinations and webhooks with one name would share their dead letters, and their place in the ledger. */
function sharedNames(wanted: readonly Wanted[], inForce: readonly InForce[]): Mistake[] {
  const other = { destination: 'profile_webhook', profile_webhook: 'destination' } as const;
  const keyOf = ({ kind, name }: { readonly kind: string; readonly name: string }): string => `${kind}/${name}`;
  const taken = new Set(inForce.map(keyOf));
  for (const one of wanted) {
    if (one.body) taken.add(keyOf(one));
    else taken.delete(keyOf(one));
  }
  return wanted.flatMap(({ kind, name, body }) => {
    if (!body || (kind !== 'destination' && kind !== 'profile_webhook')) return [];
    const wrong = `is already the name of a ${other[kind]}`;
    return taken.has(`${other[kind]}/${name}`) ? [{ kind, name, path: ['name'], wrong }] : [];
  });
}

/**
 * Write keys of wanted sources that are somebody's already: whose events would they send?
 * @param inForce what there is; where it is wanted otherwise, that counts
 */
export function sharedWriteKeys(wanted: readonly Wanted[], inForce: readonly InForce[] = []): Mistake[] {
  const isWanted = new Set(wanted.filter(({ kind }) => kind === 'source').map(({ name }) => name));
  const owners = new Map<string, string>();
  for (const { kind, name, body } of inForce) {
    if (kind !== 'source' || isWanted.has(name)) continue;
    for (const { key } of (body as InForce<'source'>['body']).writeKeys) owners.set(key, name);
  }
  const mistakes: Mistake[] = [];
  for (const { kind, name, body } of wanted) {
    if (kind !== 'source' || !body) continue;
    for (const [i, { key }] of (body as InForce<'source'>['body']).writeKeys.entries()) {
      const owner = owners.get(key);
      const path = ['spec', 'writeKeys', i, 'key'];
      if (owner !== undefined) mistakes.push({ kind, name, path, wrong: `is already a write key of source/${owner}` });
      owners.set(key, name);
    }
  }
  return mistakes;
}
