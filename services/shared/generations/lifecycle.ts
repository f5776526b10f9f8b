import type { Generation } from '#schemas/generated/records.ts';
import type { Authorship } from '#shared/definitions/changes.ts';

/** All that there are, by their numbers; also those that are dropped, whose numbers are not given again. One is live. */
export type Generations = ReadonlyMap<number, Generation>;

/**
 * All generations of an installation.
 * @param records the newest of each
 * @param own the one that is live where no record says so: nobody has switched yet
 */
export function generationsAmong(records: Iterable<Generation>, own: number): Generations {
  const all = new Map([...records].map((record) => [record.generation, record]));
  if (![...all.values()].some(({ state }) => state === 'live'))
    all.set(own, { ...blank(own), state: 'live', edition: 1 });
  return new Map([...all].sort(([a], [b]) => a - b));
}

export function liveOf(all: Generations): Generation {
  for (const one of all.values()) if (one.state === 'live') return one;
  throw new Error('no generation is live');
}

/** The one that is about to become live: its edition is above that of the live one. */
export function nextLiveOf(all: Generations): Generation | undefined {
  const { edition } = liveOf(all);
  for (const one of all.values()) if (one.state !== 'dropped' && one.edition > edition) return one;
  return undefined;
}

/** What a new generation is made of. */
export type Ingredients = Pick<Generation, 'claims' | 'claims_cut' | 'history' | 'definitions'>;

export type Wish =
  | ({ readonly verb: 'begin' } & Ingredients)
  /** It gets the edition that it is to be live with. */
  | { readonly verb: 'announce'; readonly generation: number }
  /** The one that was announced becomes live, and the one that was live is retired. */
  | { readonly verb: 'switch'; readonly generation: number }
  | { readonly verb: 'drop'; readonly generation: number };

/** Records to be written together; none where it is so already. Or why it cannot be. */
export type Decided = { readonly records: readonly Generation[] } | { readonly refused: string };

/** What a wish makes of the generations that there are. */
export function decide(all: Generations, wish: Wish, { actor, reason, at }: Authorship): Decided {
  if (wish.verb === 'begin') {
    const { verb: _, ...ingredients } = wish;
    const number = Math.max(...all.keys()) + 1;
    const record = { ...blank(number), ...ingredients, started_at: at, changed_at: at, actor, reason };
    return { records: [record] };
  }
  const one = all.get(wish.generation);
  if (!one) return { refused: `there is no generation ${wish.generation}` };
  const name = `generation ${one.generation}`;
  if (one.state === 'dropped') return { refused: `${name} is dropped` };
  const live = liveOf(all);
  const next = nextLiveOf(all);
  switch (wish.verb) {
    case 'announce': {
      if (one === live) return { refused: `${name} is live` };
      if (next && next !== one) return { refused: `a switch to generation ${next.generation} has begun` };
      if (next) return { records: [] };
      return { records: [{ ...one, edition: live.edition + 1, changed_at: at }] };
    }
    case 'switch': {
      if (one === live) return { records: [] };
      if (next !== one) return { refused: `no switch to ${name} has begun` };
      const changed_at = at;
      return {
        records: [
          { ...live, state: 'retired', changed_at },
          { ...one, state: 'live', changed_at },
        ],
      };
    }
    case 'drop': {
      if (one === live) return { refused: `${name} is live` };
      if (next === one) return { refused: `a switch to ${name} has begun` };
      return { records: [{ ...one, state: 'dropped', changed_at: at }] };
    }
  }
}

const blank = (generation: number): Generation => ({
  generation,
  state: 'replaying',
  edition: 0,
  claims: 'recorded',
  claims_cut: 0,
  history: 'clickhouse',
  definitions: '',
  started_at: 0,
  changed_at: 0,
  actor: '',
  reason: '',
});
