import type { IdentityClaim } from '#schemas/generated/records.ts';

/** By what a claim can be withdrawn. */
type Withdrawable = Pick<IdentityClaim, 'claim_id' | 'source' | 'actor' | 'definitions'>;

const TARGETS = [
  /^claim:[0-9a-f]{32}$/,
  /^source:.+$/,
  /^actor:.+$/,
  /^definition:[^/@]+\/[^/@]+@\d+$/,
] as const satisfies readonly RegExp[];

/** Whether a text says which claims to withdraw. */
export const isTarget = (text: string): boolean => TARGETS.some((form) => form.test(text));

/** The claim that a target names by its id; undefined where it names more than one. */
export const claimNamed = (target: string): string | undefined =>
  target.startsWith('claim:') ? target.slice('claim:'.length) : undefined;

/** The targets that are withdrawn now. @param claims each id once */
export function targetsIn(claims: Iterable<IdentityClaim>): ReadonlySet<string> {
  const targets = new Set<string>();
  for (const { kind, target } of claims) if (kind === 'withdraw' && target !== null) targets.add(target);
  return targets;
}

/** Which of the targets withdraw a claim; none: it counts. */
export function withdrawnBy(
  { claim_id, source, actor, definitions }: Withdrawable,
  targets: ReadonlySet<string>,
): readonly string[] {
  const names = [
    `claim:${claim_id}`,
    ...(source === null ? [] : [`source:${source}`]),
    `actor:${actor}`,
    ...definitions.map(({ definition, version }) => `definition:${definition}@${version}`),
  ].filter((name) => targets.has(name));
  for (const target of targets)
    if (target.startsWith('actor:') && target.endsWith('*') && `actor:${actor}`.startsWith(target.slice(0, -1)))
      names.push(target);
  return names;
}

/** What claims about identifiers count: all but the withdrawn. */
export function activeClaims(claims: Iterable<IdentityClaim>): IdentityClaim[] {
  const all = [...claims];
  const targets = targetsIn(all);
  return all.filter(
    (claim) =>
      claim.kind !== 'withdraw' &&
      claim.kind !== 'activate_rules' &&
      (targets.size === 0 || withdrawnBy(claim, targets).length === 0),
  );
}
