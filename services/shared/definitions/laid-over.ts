import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Definitions } from './definitions.ts';
import { validateDefinitions, type Wanted } from './validate.ts';

/** Definitions of a file. @throws Error telling all that is wrong with it */
export function definitionsIn(file: string): readonly Wanted[] {
  const valid = validateDefinitions(readFileSync(file, 'utf8'), file);
  if ('errors' in valid) throw new Error(valid.errors.join('\n'));
  return valid.definitions;
}

/** Those in force with others laid over them, as applying them would make them: with the next version where they differ. */
export const laidOver = (inForce: Definitions, others: readonly Wanted[]): Definitions =>
  others.reduce((all, { kind, name, body }) => {
    if (body === undefined) return all.without(`${kind}/${name}`);
    const known = all.get(kind, name);
    return isDeepStrictEqual(known?.body, body)
      ? all
      : all.with({ kind, name, body, version: (known?.version ?? 0) + 1 });
  }, inForce);
