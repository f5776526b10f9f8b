import type { DefinitionVersion } from '#schemas/generated/records.ts';

/** By what a claim can be withdrawn. */
export interface Withdrawable {
  readonly source: string | null;
  readonly actor: string;
  readonly definitions: readonly DefinitionVersion[];
}

/** Whether a claim counts, given what was withdrawn: by itself, with its source, its actor, or the version of a definition. */
export class Withdrawals {
  readonly #exact: ReadonlySet<string>;
  /** Beginnings of actors' names. */
  readonly #actors: readonly string[];

  /** @param targets as claims of the kind `withdraw` have them */
  constructor(targets: Iterable<string>) {
    this.#exact = new Set(targets);
    this.#actors = [...this.#exact].flatMap((target) =>
      target.startsWith('actor:') && target.endsWith('*') ? [target.slice('actor:'.length, -1)] : [],
    );
  }

  get any(): boolean {
    return this.#exact.size > 0;
  }

  /** @param claim undefined where nothing is known of it but its id */
  covers(id: string, claim: Withdrawable | undefined): boolean {
    if (this.#exact.has(`claim:${id}`)) return true;
    if (!claim) return false;
    const { source, actor, definitions } = claim;
    return (
      (source !== null && this.#exact.has(`source:${source}`)) ||
      this.#exact.has(`actor:${actor}`) ||
      this.#actors.some((beginning) => actor.startsWith(beginning)) ||
      definitions.some(({ definition, version }) => this.#exact.has(`definition:${definition}@${version}`))
    );
  }
}

/** The claim that a target names by its id; undefined where it names more than one. */
export const claimNamed = (target: string): string | undefined =>
  target.startsWith('claim:') ? target.slice('claim:'.length) : undefined;
