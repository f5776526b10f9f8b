import { hash } from 'node:crypto';

/** So many digits of the hash of the first identifier a claim's id begins with: there it can be looked for. */
const OF_FIRST = 16;

const digits = (...parts: readonly string[]): string => hash('sha256', parts.join('\0'), 'hex');

/**
 * Identity of a claim about identifiers: 32 hexadecimal digits, 16 of the first identifier's hash and 16 over the kind, the hashes of the
 * identifiers in order, the source and the actor. What is claimed is thus claimed once by each source and actor, whenever and however often.
 */
export const claimId = (kind: string, first: string, second: string, source: string | null, actor: string): string =>
  beginning(first) + digits(kind, first, second, source ?? '', actor).slice(0, OF_FIRST);

/** How the ids of claims begin that are first about this identifier. */
const beginning = (first: string): string => first.slice(0, OF_FIRST);

/** How the hash begins of the identifier that a claim with this id is first about; undefined where no such id looks so. */
export const placeOfClaim = (id: string): string | undefined =>
  id.length === 2 * OF_FIRST ? id.slice(0, OF_FIRST) : undefined;

/** Whether the id of a claim tells that it is first about this identifier. */
export const tellsFirst = (id: string, first: string): boolean => placeOfClaim(id) === beginning(first);

/** Identity of a claim about other claims, or about the rules: there is one of a kind for each thing. */
export const decisionId = (kind: string, thing: string): string => digits(kind, thing, '', '', '').slice(0, 32);
