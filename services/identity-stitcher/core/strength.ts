/** What a claim says of its identifiers, as it is kept with an edge: the smaller, the stronger. */
export const STRENGTH = { must_link: 0, alias: 1, observed: 2 } as const;
/** Edges that unite nothing: two that must stay apart; one (an edge to itself) that must not link at all. */
export const KEPT_APART = 8;
export const BLOCKED = 9;

export type LinkKind = keyof typeof STRENGTH;

export const isLinkKind = (kind: string): kind is LinkKind => Object.hasOwn(STRENGTH, kind);

/** Whether an edge of this strength may unite its ends. */
export const links = (strength: number): boolean => strength < KEPT_APART;
