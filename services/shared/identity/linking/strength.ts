/** What a claim says of its identifiers, as it is kept with them: the smaller, the stronger. */
export const STRENGTH = { must_link: 0, alias: 1, observed: 2 } as const;
/** Claims that unite nothing: two that must stay apart; one that must not link at all. */
export const KEPT_APART = 8;
export const BLOCKED = 9;

export type LinkKind = keyof typeof STRENGTH;

export const isLinkKind = (kind: string): kind is LinkKind => Object.hasOwn(STRENGTH, kind);

/** Whether a claim of this strength may unite what it is about. */
export const links = (strength: number): boolean => strength < KEPT_APART;
