import type { Identifier, IdentityClaim } from '#schemas/generated/records.ts';
import type { DefinitionBodies } from '#shared/definitions/kinds.ts';
import { resolveAll } from '#shared/identity/linking/one-shot.ts';
import { rulesOf } from '#shared/identity/linking/rules.ts';
import { activeClaims } from '#shared/identity/linking/withdrawals.ts';
import type { Decision, Plan } from './decisions.ts';
import { type Grouped, Grouping, regroupingOf } from './regrouping.ts';
import { limitBrokenBy } from './why.ts';

/** A profile, and how many identifiers it has. */
export interface Sized {
  readonly profile_id: string;
  readonly identifiers: number;
}

/** What a decision does, for whoever has to answer for it. */
export interface Preview {
  readonly writes: readonly {
    readonly claim_id: string;
    readonly kind: string;
    readonly target: string | null;
    readonly identifiers: readonly string[];
  }[];
  /** So many claims more count then; fewer when it is negative. */
  readonly claims: number;
  readonly united: readonly { readonly parts: readonly Sized[]; readonly into: Sized }[];
  readonly split: readonly { readonly of: Sized; readonly parts: readonly Sized[] }[];
  readonly profiles_touched: number;
  readonly identifiers_moved: number;
  /** Of those touched, then. */
  readonly largest: Sized | null;
  readonly notes: readonly { readonly identifier: string | null; readonly note: string }[];
}

export interface Previewed {
  readonly preview: Preview;
  /** The profile of every identifier that moves, by hash. */
  readonly expected: ReadonlyMap<string, string>;
}

interface Situation {
  readonly claims: ReadonlyMap<string, IdentityClaim>;
  readonly rules: DefinitionBodies['identity_rules'];
  readonly profileIdOf: (hash: string) => string;
}

export function previewOf(decision: Decision, plan: Plan, { claims, rules, profileIdOf }: Situation): Previewed {
  const decided = new Map([...claims, ...plan.writes.map((claim) => [claim.claim_id, claim] as const)]);
  const [activeBefore, activeAfter] = [claims, decided].map((all) => activeClaims(all.values())) as [
    IdentityClaim[],
    IdentityClaim[],
  ];
  const before = new Grouping(resolveAll(activeBefore, rulesOf(rules)));
  const after = new Grouping(resolveAll(activeAfter, rulesOf(rules)));
  const { united, split, touched, moved, largestTouched } = regroupingOf(before, after);
  const sized = ({ anchor, members }: Grouped): Sized => ({
    profile_id: profileIdOf(anchor),
    identifiers: members.length,
  });
  const preview = {
    writes: plan.writes.map(({ claim_id, kind, target, identifiers }) => ({
      claim_id,
      kind,
      target,
      identifiers: identifiers.map(nameOf),
    })),
    claims: activeAfter.length - activeBefore.length,
    united: united.map(({ parts, into }) => ({ parts: parts.map(sized), into: sized(into) })),
    split: split.map(({ of, parts }) => ({ of: sized(of), parts: parts.map(sized) })),
    profiles_touched: touched.length,
    identifiers_moved: moved.length,
    largest: largestTouched ? sized(largestTouched) : null,
    notes: notesOn(decision, { before, after, claims, rules }),
  };
  return { preview, expected: new Map(moved.map(({ identifier, to }) => [identifier.hash, profileIdOf(to)])) };
}

const nameOf = ({ type, value }: Identifier): string => `${type}:${value}`;

/** What somebody should know who decides this. */
function notesOn(
  decision: Decision,
  {
    before,
    after,
    claims,
    rules,
  }: Pick<Situation, 'claims' | 'rules'> & { readonly before: Grouping; readonly after: Grouping },
): Preview['notes'] {
  if ('target' in decision) return [];
  const notes: Preview['notes'][number][] = [];
  const seen = new Set([...claims.values()].flatMap(({ identifiers }) => identifiers.map(({ hash }) => hash)));
  for (const one of 'other' in decision ? [decision.one, decision.other] : [decision.one])
    if (!seen.has(one.hash))
      notes.push({ identifier: nameOf(one), note: 'was never seen: nothing is claimed of it yet' });
  if (decision.verb !== 'link') return notes;
  const { one, other } = decision;
  const [here, there] = [after.of(one), after.of(other)];
  if (before.of(one).anchor === before.of(other).anchor)
    notes.push({ identifier: null, note: 'they are one profile already; the claim keeps it so' });
  else if (here.anchor !== there.anchor) {
    const broken = limitBrokenBy([...here.members, ...there.members], rules);
    const why = broken ?? 'one of them is blocked, shared or kept apart from the other';
    notes.push({ identifier: null, note: `they stay two profiles: ${why}` });
  }
  return notes;
}

/** Of each list in a text. */
const MOST_LINES = 10;

/** @param events how many events move with the identifiers */
export function previewText(preview: Preview, events: number): string {
  const profile = ({ profile_id, identifiers }: Sized): string => `${profile_id} (${identifiers})`;
  const some = (lines: readonly string[]): readonly string[] =>
    lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES), `and ${lines.length - MOST_LINES} more`] : lines;
  return [
    ...preview.writes.map(({ kind, target, identifiers, claim_id }) =>
      kind === 'withdraw'
        ? `writes ${target === null ? 'that claims count again' : `that ${target} no longer counts`} (claim ${claim_id})`
        : `writes ${kind} ${identifiers.join(' and ')} (claim ${claim_id})`,
    ),
    ...some(preview.united.map(({ parts, into }) => `unites ${parts.map(profile).join(' + ')} → ${profile(into)}`)),
    ...some(preview.split.map(({ of, parts }) => `splits ${profile(of)} → ${parts.map(profile).join(' + ')}`)),
    `touches ${preview.profiles_touched} profiles; moves ${preview.identifiers_moved} identifiers with ${events} events`,
    ...(preview.largest ? [`the largest is then ${profile(preview.largest)}`] : []),
    ...preview.notes.map(({ identifier, note }) => `note: ${identifier ? `${identifier} ` : ''}${note}`),
  ].join('\n');
}
