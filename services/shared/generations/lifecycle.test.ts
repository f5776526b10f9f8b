import { expect, test } from 'vitest';
import {
  type Decided,
  decide,
  type Generations,
  generationsAmong,
  liveOf,
  nextLiveOf,
  type Wish,
} from './lifecycle.ts';

const by = { actor: 'me', reason: 'a test', at: 5_000 };
const begin: Wish = { verb: 'begin', claims: 'recorded', claims_cut: 0, history: 'clickhouse', definitions: '' };
const about = (verb: 'announce' | 'switch' | 'drop', generation = 2): Wish => ({ verb, generation });

const after = (all: Generations, decided: Decided): Generations => {
  if ('refused' in decided) throw new Error(decided.refused);
  return generationsAmong([...all.values(), ...decided.records], 1);
};
const afterAll = (...wishes: Wish[]): Generations =>
  wishes.reduce((all, wish) => after(all, decide(all, wish, by)), generationsAmong([], 1));
const statesOf = (all: Generations) =>
  [...all.values()].map(({ generation, state, edition }) => `${generation} ${state} ${edition}`);

test('an installation without records has one generation, which is live', () => {
  expect(statesOf(generationsAmong([], 3))).toEqual(['3 live 1']);
});

test('a record of another that is live tells that the first is not', () => {
  const all = afterAll(begin, about('announce'), about('switch'));
  expect(statesOf(generationsAmong([...all.values()].reverse(), 1))).toEqual(['1 retired 1', '2 live 2']);
});

test('a new generation has the next number, also after one that was dropped, and says who wanted it, when and why', () => {
  const ingredients = { claims: 'rebuilt', claims_cut: 7, history: 'kafka', definitions: 'kind: traits' };
  expect(decide(afterAll(begin, about('drop')), { verb: 'begin', ...ingredients }, by)).toEqual({
    records: [
      {
        generation: 3,
        state: 'replaying',
        edition: 0,
        ...ingredients,
        started_at: 5_000,
        changed_at: 5_000,
        actor: 'me',
        reason: 'a test',
      },
    ],
  });
});

test('it is announced with the next edition, then live, and the one before is retired; and back again', () => {
  const announced = afterAll(begin, about('announce'));
  expect(statesOf(announced)).toEqual(['1 live 1', '2 replaying 2']);
  expect(nextLiveOf(announced)?.generation).toBe(2);
  const switched = after(announced, decide(announced, about('switch'), by));
  expect(statesOf(switched)).toEqual(['1 retired 1', '2 live 2']);
  expect(liveOf(switched).generation).toBe(2);
  expect(nextLiveOf(switched)).toBeUndefined();
  const back = afterAll(begin, about('announce'), about('switch'), about('announce', 1), about('switch', 1));
  expect(statesOf(back)).toEqual(['1 live 3', '2 retired 2']);
});

/** Every wish about generation 2, in every state that it can have: what it is then, or why not. */
const table: Record<
  string,
  { readonly before: Wish[]; readonly becomes: Record<'announce' | 'switch' | 'drop', string> }
> = {
  'that is not there': {
    before: [],
    becomes: {
      announce: 'there is no generation 2',
      switch: 'there is no generation 2',
      drop: 'there is no generation 2',
    },
  },
  replaying: {
    before: [begin],
    becomes: { announce: '2 replaying 2', switch: 'no switch to generation 2 has begun', drop: '2 dropped 0' },
  },
  announced: {
    before: [begin, about('announce')],
    becomes: { announce: '2 replaying 2', switch: '2 live 2', drop: 'a switch to generation 2 has begun' },
  },
  'beside one that is announced': {
    before: [begin, begin, about('announce', 3)],
    becomes: {
      announce: 'a switch to generation 3 has begun',
      switch: 'no switch to generation 2 has begun',
      drop: '2 dropped 0',
    },
  },
  live: {
    before: [begin, about('announce'), about('switch')],
    becomes: { announce: 'generation 2 is live', switch: '2 live 2', drop: 'generation 2 is live' },
  },
  retired: {
    before: [begin, about('announce'), about('switch'), about('announce', 1), about('switch', 1)],
    becomes: { announce: '2 retired 4', switch: 'no switch to generation 2 has begun', drop: '2 dropped 2' },
  },
  dropped: {
    before: [begin, about('drop')],
    becomes: {
      announce: 'generation 2 is dropped',
      switch: 'generation 2 is dropped',
      drop: 'generation 2 is dropped',
    },
  },
};

test.each(
  Object.entries(table).flatMap(([state, { before, becomes }]) =>
    (['announce', 'switch', 'drop'] as const).map((verb) => ({ verb, state, before, becomes: becomes[verb] })),
  ),
)('$verb of a generation $state', ({ verb, before, becomes }) => {
  const all = afterAll(...before);
  const decided = decide(all, about(verb), by);
  if ('refused' in decided) expect(decided.refused).toBe(becomes);
  else expect(statesOf(after(all, decided))).toContain(becomes);
});
