import type { Digested } from '#shared/profiles/digest.ts';

/** Where two profiles say different things, by the paths that `changed` has; null where one says nothing. */
export interface ProfileDifference {
  readonly path: string;
  readonly values: readonly [unknown, unknown];
}

type Field = Exclude<keyof Digested, 'profile_id' | 'gone' | 'into'>;

/** How each field is compared: as a whole, or by the names of what is in it. */
const fields: Readonly<Record<Field, 'whole' | 'name' | 'purpose'>> = {
  kind: 'whole',
  identifiers: 'whole',
  traits: 'name',
  trait_origins: 'whole',
  computed: 'name',
  audiences: 'whole',
  consents: 'purpose',
  events: 'whole',
  event_counts: 'whole',
  revenue: 'whole',
  order_count: 'whole',
  products: 'whole',
  first_touch: 'whole',
  last_touch: 'whole',
  session_count: 'whole',
  session_ms: 'whole',
  first_session_at: 'whole',
  last_session_at: 'whole',
  last_session_until: 'whole',
  last_session_events: 'whole',
  groups: 'whole',
  interactions: 'whole',
  sources: 'whole',
  first_seen: 'whole',
  last_seen: 'whole',
  flags: 'whole',
};

type Named = Readonly<Record<string, unknown>>;

/** The places where two profiles differ, sorted by path; undefined is a profile that does not exist. */
export function profileDifferences(
  one: Digested | undefined,
  other: Digested | undefined,
): readonly ProfileDifference[] {
  const found: ProfileDifference[] = [];
  const compare = (path: string, a: unknown, b: unknown): void => {
    if (text(a) !== text(b)) found.push({ path, values: [a ?? null, b ?? null] });
  };
  for (const [field, how] of Object.entries(fields) as [Field, 'whole' | 'name' | 'purpose'][]) {
    const [a, b] = [one?.[field], other?.[field]];
    if (how === 'whole') {
      compare(field, a, b);
      continue;
    }
    const [mine, theirs] = [a, b].map((list) => byName((list ?? []) as unknown as readonly Named[], how));
    for (const name of new Set([...(mine?.keys() ?? []), ...(theirs?.keys() ?? [])]))
      compare(`${field}.${name}`, mine?.get(name), theirs?.get(name));
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

const byName = (list: readonly Named[], by: 'name' | 'purpose'): ReadonlyMap<string, Named> =>
  new Map(list.map(({ [by]: name, ...rest }) => [String(name), rest]));

/** Members in one order: decoders put them in different ones. */
const text = (value: unknown): string =>
  JSON.stringify(value ?? null, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
