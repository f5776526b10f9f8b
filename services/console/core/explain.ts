/** An identifier as explanations name it. */
export interface Named {
  readonly type: string;
  readonly value: string;
  readonly hash: string;
}

/** A claim that two identifiers belong together. */
export interface Link {
  readonly claim_id: string;
  readonly kind: string;
  readonly one: Named;
  readonly other: Named;
  readonly source: string | null;
  readonly message_id: string | null;
  /** ISO 8601 */
  readonly received_at: string;
  readonly actor: string;
  readonly reason: string | null;
}

/** What is known about identifiers besides the links between them. */
export interface Knowledge {
  /** The profile of now, by hash; undefined where it is not known. */
  readonly profile: (hash: string) => string | undefined;
  /** Why a link between the two is refused; undefined where nobody said. */
  readonly refusal: (one: string, other: string) => string | undefined;
  /** Version of the identity rules that the identifier's profile was decided under. */
  readonly rules: (hash: string) => string | null;
}

/** A pair of identifiers that somebody claims are one: the strongest claim, then the earliest, stands for all. */
export interface Step {
  readonly from: string;
  readonly to: string;
  /** Whether it makes the two one profile. */
  readonly accepted: boolean;
  /** Why it is refused: the limit that it would break, or what is the matter with one end. */
  readonly refused: string | null;
  readonly kind: string;
  readonly claim_id: string;
  readonly source: string | null;
  readonly message_id: string | null;
  readonly received_at: string;
  readonly actor: string;
  readonly reason: string | null;
  /** How many claims say so. */
  readonly claims: number;
  /** The version of the identity rules that decided; empty for those built in, null where it is not known. */
  readonly rules: string | null;
}

export const nameOf = ({ type, value }: Pick<Named, 'type' | 'value'>): string => `${type}:${value}`;

/** Of the stronger kind first, then the earlier, then the smaller id. */
const KINDS = ['must_link', 'alias', 'observed'];
const byWeight = (a: Link, b: Link): number =>
  KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
  (a.received_at !== b.received_at ? (a.received_at < b.received_at ? -1 : 1) : a.claim_id < b.claim_id ? -1 : 1);

/** Claims of one pair. */
export interface Pair {
  readonly links: readonly [Link, ...Link[]];
  readonly accepted: boolean;
}

/** The pairs, by weight. Within a profile every link is accepted: what was refused stays between two. */
export function pairsOf(links: readonly Link[], { profile }: Pick<Knowledge, 'profile'>): Pair[] {
  const pairs = new Map<string, [Link, ...Link[]]>();
  for (const link of [...links].sort(byWeight)) {
    const key = [link.one.hash, link.other.hash].sort().join();
    const known = pairs.get(key);
    if (known) known.push(link);
    else pairs.set(key, [link]);
  }
  return [...pairs.values()].map((all) => {
    const [{ one, other }] = all;
    const here = profile(one.hash);
    return { links: all, accepted: here !== undefined && here === profile(other.hash) };
  });
}

/** A pair as it is walked from one end. */
export function stepOf({ links, accepted }: Pair, from: string, { refusal, rules }: Knowledge): Step {
  const [{ one, other, kind, claim_id, source, message_id, received_at, actor, reason }] = links;
  const [near, far] = one.hash === from ? [one, other] : [other, one];
  return {
    from: nameOf(near),
    to: nameOf(far),
    accepted,
    refused: accepted ? null : (refusal(one.hash, other.hash) ?? null),
    kind,
    claim_id,
    source,
    message_id,
    received_at,
    actor,
    reason,
    claims: links.length,
    rules: rules(far.hash) ?? rules(near.hash),
  };
}

/**
 * The way from one identifier to another with the fewest refused links on it, and of these a shortest; of several, that over the
 * weightiest claims. Undefined when there is none, empty when they are the same.
 */
export function wayBetween(
  from: string,
  to: string,
  links: readonly Link[],
  knowledge: Knowledge,
): readonly Step[] | undefined {
  interface Reached {
    readonly hash: string;
    readonly before?: Reached;
    readonly pair?: Pair;
  }
  const ends = new Map<string, { readonly pair: Pair; readonly far: string }[]>();
  for (const pair of pairsOf(links, knowledge)) {
    const [{ one, other }] = pair.links;
    for (const [near, far] of [
      [one.hash, other.hash],
      [other.hash, one.hash],
    ] as const) {
      const here = ends.get(near);
      if (here) here.push({ pair, far });
      else ends.set(near, [{ pair, far }]);
    }
  }
  const reached = new Map<string, Reached>();
  /** By number of refused links, then by number of steps: what is to be looked at. */
  const waiting: Reached[][][] = [];
  const wait = (refusals: number, steps: number, there: Reached): void => {
    waiting[refusals] ??= [];
    const level = waiting[refusals];
    level[steps] ??= [];
    level[steps].push(there);
  };
  wait(0, 0, { hash: from });
  for (let refusals = 0; refusals < waiting.length && !reached.has(to); refusals++) {
    const level = waiting[refusals] ?? [];
    for (let steps = 0; steps < level.length; steps++) {
      for (const here of level[steps] ?? []) {
        if (reached.has(here.hash)) continue;
        reached.set(here.hash, here);
        for (const { pair, far } of ends.get(here.hash) ?? []) {
          if (reached.has(far)) continue;
          wait(pair.accepted ? refusals : refusals + 1, steps + 1, { hash: far, before: here, pair });
        }
      }
    }
  }
  const end = reached.get(to);
  if (!end) return undefined;
  const steps: Step[] = [];
  for (let at = end; at.before && at.pair; at = at.before) steps.unshift(stepOf(at.pair, at.before.hash, knowledge));
  return steps;
}
