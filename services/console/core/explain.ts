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
}

export interface Step {
  readonly from: string;
  readonly to: string;
  readonly kind: string;
  readonly claim_id: string;
  readonly source: string | null;
  readonly message_id: string | null;
  readonly received_at: string;
}

const nameOf = ({ type, value }: Named): string => `${type}:${value}`;

/**
 * A shortest chain of links between two identifiers; of several, that over the earliest claims. Undefined when there is
 * none, empty when they are the same.
 */
export function chainBetween(from: string, to: string, links: readonly Link[]): readonly Step[] | undefined {
  const sorted = [...links].sort((a, b) =>
    a.received_at !== b.received_at ? (a.received_at < b.received_at ? -1 : 1) : a.claim_id < b.claim_id ? -1 : 1,
  );
  const ends = new Map<string, { readonly link: Link; readonly near: Named; readonly far: Named }[]>();
  for (const link of sorted) {
    for (const [near, far] of [
      [link.one, link.other],
      [link.other, link.one],
    ] as const)
      ends.set(near.hash, [...(ends.get(near.hash) ?? []), { link, near, far }]);
  }
  const cameBy = new Map<string, { readonly before: string; readonly step: Step } | undefined>([[from, undefined]]);
  const queue = [from];
  for (let hash = queue.shift(); hash !== undefined && !cameBy.has(to); hash = queue.shift()) {
    for (const { link, near, far } of ends.get(hash) ?? []) {
      if (cameBy.has(far.hash)) continue;
      const { kind, claim_id, source, message_id, received_at } = link;
      const step = { from: nameOf(near), to: nameOf(far), kind, claim_id, source, message_id, received_at };
      cameBy.set(far.hash, { before: hash, step });
      queue.push(far.hash);
    }
  }
  if (!cameBy.has(to)) return undefined;
  const steps: Step[] = [];
  for (let at = cameBy.get(to); at; at = cameBy.get(at.before)) steps.unshift(at.step);
  return steps;
}
