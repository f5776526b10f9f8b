import { hash } from 'node:crypto';

/**
 * Identity of a claim: 32 hexadecimal digits over its kind, the hashes of its identifiers in order, its source and its actor.
 * What is claimed is thus claimed once by each source and actor, whenever and however often.
 */
export const claimId = (kind: string, first: string, second: string, source: string | null, actor: string): string =>
  hash('sha256', `${kind}\0${first}\0${second}\0${source ?? ''}\0${actor}`, 'hex').slice(0, 32);
