import type { Identifier } from '#schemas/generated/records.ts';

/** A profile, by the hash of the identifier whose default profile it is. */
export interface Grouped {
  readonly anchor: string;
  readonly members: readonly Identifier[];
}

/** A profile as the linker's resolver tells it: of its nodes only the identifiers are of interest here. */
interface Resolved {
  readonly anchor: { readonly identifier: Identifier };
  readonly members: readonly { readonly identifier: Identifier }[];
}

/** Profiles that become one. */
export interface United {
  readonly parts: readonly Grouped[];
  readonly into: Grouped;
}

/** A profile that becomes several. */
export interface Split {
  readonly of: Grouped;
  readonly parts: readonly Grouped[];
}

/** What one grouping of identifiers makes of another. */
export interface Regrouping {
  readonly united: readonly United[];
  readonly split: readonly Split[];
  /** Profiles, as they are, that are other profiles then, or have other identifiers. */
  readonly touched: readonly Grouped[];
  /** Identifiers that belong to another profile then, with the anchor of that. */
  readonly moved: readonly { readonly identifier: Identifier; readonly from: string; readonly to: string }[];
  /** Of all profiles, then. */
  readonly largest: Grouped | undefined;
  /** Of those that are touched, then. */
  readonly largestTouched: Grouped | undefined;
}

/** Who belongs to which profile. An identifier that nothing is claimed of any more is alone in its default profile. */
export class Grouping {
  readonly #groups: ReadonlyMap<string, Grouped>;

  constructor(profiles: readonly Resolved[]) {
    const groups = new Map<string, Grouped>();
    for (const { anchor, members } of profiles) {
      const group = {
        anchor: anchor.identifier.hash,
        members: members.map(({ identifier }) => identifier).sort((a, b) => (a.hash < b.hash ? -1 : 1)),
      };
      for (const { hash } of group.members) groups.set(hash, group);
    }
    this.#groups = groups;
  }

  of(identifier: Identifier): Grouped {
    return this.#groups.get(identifier.hash) ?? { anchor: identifier.hash, members: [identifier] };
  }

  identifiers(): Identifier[] {
    return [...this.#groups].map(([hash, { members }]) => members.find((member) => member.hash === hash) as Identifier);
  }

  profiles(): Set<Grouped> {
    return new Set(this.#groups.values());
  }
}

export function regroupingOf(before: Grouping, after: Grouping): Regrouping {
  const united: United[] = [];
  const split: Split[] = [];
  const touched: Grouped[] = [];
  const touchedThen = new Set<Grouped>();
  const moved: Regrouping['moved'][number][] = [];
  for (const group of everyGroup(before, after)) {
    const parts = distinct(group.members.map((one) => after.of(one)));
    const [only] = parts;
    if (parts.length === 1 && only?.anchor === group.anchor && only.members.length === group.members.length) continue;
    touched.push(group);
    for (const part of parts) touchedThen.add(part);
    if (parts.length > 1) split.push({ of: group, parts });
    for (const identifier of group.members) {
      const to = after.of(identifier).anchor;
      if (to !== group.anchor) moved.push({ identifier, from: group.anchor, to });
    }
  }
  for (const into of byAnchor(touchedThen)) {
    const parts = distinct(into.members.map((one) => before.of(one)));
    if (parts.length > 1) united.push({ parts, into });
  }
  return {
    united,
    split,
    touched,
    moved,
    largest: largestOf(after.profiles()),
    largestTouched: largestOf(touchedThen),
  };
}

/** Profiles of before, with those that the other grouping alone knows of. */
function everyGroup(before: Grouping, after: Grouping): Grouped[] {
  const groups = before.profiles();
  const known = new Set(before.identifiers().map(({ hash }) => hash));
  for (const identifier of after.identifiers()) if (!known.has(identifier.hash)) groups.add(before.of(identifier));
  return byAnchor(groups);
}

const byAnchor = (groups: Iterable<Grouped>): Grouped[] => [...groups].sort((a, b) => (a.anchor < b.anchor ? -1 : 1));

function distinct(groups: readonly Grouped[]): Grouped[] {
  const found = new Map(groups.map((group) => [group.anchor, group]));
  return byAnchor(found.values());
}

function largestOf(groups: Iterable<Grouped>): Grouped | undefined {
  let largest: Grouped | undefined;
  for (const group of groups)
    if (
      !largest ||
      group.members.length > largest.members.length ||
      (group.members.length === largest.members.length && group.anchor < largest.anchor)
    )
      largest = group;
  return largest;
}
