import { hash } from 'node:crypto';

/** So many digits of the hash of the first identifier a claim's id begins with: there it can be looked for. */
const OF_FIRST = 16;

const digits = (...parts: readonly string[]): string => hash('sha256', parts.join('\0'), 'hex');

/**
 * Identity of a claim about identifiers: 32 hexadecimal digits, 16 of the first identifier's hash and 16 over the kind, the hashes of the
 * identifiers in order, the source and the actor. What is claimed is thus claimed once by each source and actor, whenever and however often.
 */
export const claimId = (kind: string, first: string, second: string, source: string | null, actor: string): string =>
  placeOfClaim(first) + digits(kind, first, second, source ?? '', actor).slice(0, OF_FIRST);

/** How the ids of claims begin that are first about this identifier. */
export const placeOfClaim = (first: string): string => first.slice(0, OF_FIRST);

/** Identity of a claim about other claims, or about the rules: there is one of a kind for each thing. */
export const decisionId = (kind: string, thing: string): string => digits(kind, thing, '', '', '').slice(0, 32);
