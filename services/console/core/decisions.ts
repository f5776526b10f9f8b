import type { Identifier, IdentityClaim } from '#schemas/generated/records.ts';
import { claimId, decisionId } from '#shared/identity/claim-id.ts';
import { activeClaims, isTarget, targetsIn, withdrawnBy } from '#shared/identity/linking/withdrawals.ts';

/** What a person decides about identities. */
export type Decision =
  | { readonly verb: 'link' | 'unlink'; readonly one: Identifier; readonly other: Identifier }
  | { readonly verb: 'block'; readonly one: Identifier }
  | { readonly verb: 'withdraw' | 'restore'; readonly target: string };

export interface Author {
  readonly actor: string;
  readonly reason: string;
  /** Now, milliseconds. */
  readonly at: number;
  readonly generation: number;
}

/** What to write for a decision: claims that go into the topic together. */
export interface Plan {
  readonly writes: readonly IdentityClaim[];
  /** The commands that take it back, one after the other: arguments of `tributary identity`. */
  readonly undo: readonly (readonly string[])[];
}

/** The decision cannot be had like that. */
export class Impossible extends Error {}

export interface Facts {
  /** All claims, by their id. */
  readonly claims: ReadonlyMap<string, IdentityClaim>;
  /** Whether two identifiers are one profile, when these claims count. */
  readonly areOne: (active: readonly IdentityClaim[], one: Identifier, other: Identifier) => boolean;
}

/** @throws Impossible */
export function planOf(decision: Decision, author: Author, facts: Facts): Plan {
  const desk = new Desk(author, facts.claims);
  switch (decision.verb) {
    case 'link': {
      const pair = pairOf(decision);
      for (const claim of desk.active('cannot_link', pair)) desk.withdraw(`claim:${claim.claim_id}`);
      if (desk.active('must_link', pair).length === 0) desk.claim('must_link', pair);
      break;
    }
    case 'unlink': {
      const pair = pairOf(decision);
      for (const claim of desk.active('must_link', pair)) desk.withdraw(`claim:${claim.claim_id}`);
      if (facts.areOne(activeClaims(desk.claims.values()), ...pair)) desk.claim('cannot_link', pair);
      break;
    }
    case 'block':
      if (desk.active('block', [decision.one]).length === 0) desk.claim('block', [decision.one]);
      break;
    case 'withdraw': {
      const { target } = decision;
      if (!isTarget(target))
        throw new Impossible(
          'what is withdrawn is named as claim:<32 digits>, source:<name>, actor:<name> (actor:resolver-* for all that begin so) or definition:<kind>/<name>@<version>',
        );
      if (target.startsWith('claim:')) {
        const claim = facts.claims.get(target.slice('claim:'.length));
        if (!claim) throw new Impossible(`there is no ${target}`);
        if (claim.kind === 'withdraw') throw new Impossible('that is a withdrawal: `identity restore` takes it back');
      }
      if (!targetsIn(facts.claims.values()).has(target)) desk.withdraw(target);
      break;
    }
    case 'restore':
      if (!targetsIn(facts.claims.values()).has(decision.target))
        throw new Impossible(`${decision.target} is not withdrawn`);
      desk.restore(decision.target);
  }
  return { writes: desk.writes, undo: desk.undo() };
}

/** What is on the topic, with what has been decided on top. */
class Desk {
  readonly claims: Map<string, IdentityClaim>;
  readonly #author: Author;
  readonly #before: ReadonlyMap<string, IdentityClaim>;
  readonly #writes = new Map<string, IdentityClaim>();

  constructor(author: Author, claims: ReadonlyMap<string, IdentityClaim>) {
    this.#author = author;
    this.#before = claims;
    this.claims = new Map(claims);
  }

  get writes(): readonly IdentityClaim[] {
    return [...this.#writes.values()];
  }

  active(kind: string, identifiers: readonly Identifier[]): IdentityClaim[] {
    const targets = targetsIn(this.claims.values());
    return [...this.claims.values()].filter(
      (claim) =>
        claim.kind === kind &&
        claim.identifiers.length === identifiers.length &&
        claim.identifiers.every(({ hash }, i) => hash === identifiers[i]?.hash) &&
        withdrawnBy(claim, targets).length === 0,
    );
  }

  /** Says it, or lets what was said and withdrawn count again. */
  claim(kind: string, identifiers: readonly Identifier[]): void {
    const [one, other] = identifiers;
    const { actor } = this.#author;
    const id = claimId(kind, one?.hash ?? '', other?.hash ?? '', null, actor);
    const claim = this.claims.get(id) ?? this.#written({ claim_id: id, kind, identifiers });
    const by = withdrawnBy(claim, targetsIn(this.claims.values()));
    const general = by.filter((target) => target !== `claim:${id}`);
    if (general.length > 0)
      throw new Impossible(
        `it would not count: ${general.join(' and ')} is withdrawn; restore that, or decide as another actor`,
      );
    if (by.length > 0) this.restore(`claim:${id}`);
    else this.#write(claim);
  }

  withdraw(target: string): void {
    this.#write(this.#written({ claim_id: withdrawalOf(target), kind: 'withdraw', identifiers: [], target }));
  }

  restore(target: string): void {
    this.#write(this.#written({ claim_id: withdrawalOf(target), kind: 'withdraw', identifiers: [], target: null }));
  }

  /** The last decision is taken back first. */
  undo(): readonly (readonly string[])[] {
    return [...this.#writes.values()]
      .map(({ claim_id, kind, target }) => {
        if (kind !== 'withdraw') return ['withdraw', `claim:${claim_id}`];
        const before = this.#before.get(claim_id)?.target ?? null;
        return target === null ? ['withdraw', before as string] : ['restore', target];
      })
      .reverse();
  }

  #written(
    claim: Pick<IdentityClaim, 'claim_id' | 'kind' | 'identifiers'> & Partial<Pick<IdentityClaim, 'target'>>,
  ): IdentityClaim {
    const { actor, reason, at, generation } = this.#author;
    return {
      message_id: null,
      source: null,
      received_at: at,
      actor,
      reason,
      target: null,
      occurred_at: null,
      rules: null,
      weight: null,
      definitions: [],
      generation,
      ...claim,
    };
  }

  #write(claim: IdentityClaim): void {
    this.claims.set(claim.claim_id, claim);
    this.#writes.set(claim.claim_id, claim);
  }
}

/** One target has one withdrawal, whoever makes it and takes it back. */
const withdrawalOf = (target: string): string => decisionId('withdraw', target);

/** Both, in the order of their hashes. @throws Impossible */
function pairOf({ one, other }: { readonly one: Identifier; readonly other: Identifier }): [Identifier, Identifier] {
  if (one.hash === other.hash) throw new Impossible('these are the same identifier');
  return one.hash < other.hash ? [one, other] : [other, one];
}
