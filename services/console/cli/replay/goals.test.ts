import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Feed, Goals, type Reach } from './goals.ts';

const feeds: readonly Feed[] = ['claims', 'own claims', 'changes', 'moves'].map((topic) => ({
  group: topic,
  topic,
  what: 'rest',
}));
const LAST = feeds.length - 1;

/** Of what waited at first something has come; it is a move that may be passed on once more. */
interface Entry {
  readonly isAwaited: boolean;
  readonly isPassedOn: boolean;
}
/** A marker of a transaction ends each commit. */
type Log = (Entry | 'marker')[];

/** Tasks that read from one another, each record and what comes of it in one transaction. */
class Chain {
  readonly #logs: readonly Log[] = feeds.map(() => []);
  readonly #next = feeds.map(() => 0);

  add(at: number, isAwaited: boolean): void {
    this.#put(at, { isAwaited, isPassedOn: false });
  }

  #put(at: number, entry: Entry): void {
    this.#logs[at]?.push(entry, 'marker');
  }

  /** One task takes in its next record. */
  takeIn(at: number): void {
    const log = this.#logs[at] as Log;
    const offset = log.findIndex((entry, n) => n >= (this.#next[at] as number) && entry !== 'marker');
    if (offset < 0) return;
    this.#next[at] = offset + 1;
    const entry = log[offset] as Entry;
    if (at < LAST) this.#put(at + 1, entry);
    else if (!entry.isPassedOn) this.#put(at, { ...entry, isPassedOn: true });
  }

  reach(at: number): Reach {
    const from = this.#next[at] as number;
    return { feed: feeds[at] as Feed, partition: 0, low: 0, from, below: (this.#logs[at] as Log).length };
  }

  holdsRecords(topic: string, from: number, below: number): boolean {
    const log = this.#logs[feeds.findIndex((feed) => feed.topic === topic)] as Log;
    return log.slice(from, below).some((entry) => entry !== 'marker');
  }

  get awaited(): number {
    const open = this.#logs.flatMap((log, at) => log.slice(this.#next[at]));
    return open.filter((entry) => entry !== 'marker' && entry.isAwaited).length;
  }
}

/** What happens while somebody looks: a task takes something in, or a new record comes for the first. */
const happening = fc.oneof(
  { weight: 9, arbitrary: fc.nat(LAST) },
  { weight: 1, arbitrary: fc.constant('comes' as const) },
);

test('they are reached when what waited is taken in and all that came of it, and not before, while more comes', async () => {
  let early = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(LAST), { minLength: 1, maxLength: 8 }),
      fc.infiniteStream(happening),
      async (waiting, happenings) => {
        const chain = new Chain();
        for (const at of waiting) chain.add(at, true);
        const goOn = (): void => {
          const next = happenings.next().value;
          if (next === 'comes') chain.add(0, false);
          else if (next !== undefined) chain.takeIn(next);
        };
        const look = (): Reach[] =>
          feeds.map((_, at) => {
            goOn();
            return chain.reach(at);
          });
        const goals = new Goals(
          async () => look(),
          async (topic, ranges) => {
            goOn();
            return ranges.some(({ from, below }) => chain.holdsRecords(topic, from, below));
          },
        );
        let looks = 0;
        while (!(await goals.areReached(look()))) {
          if (chain.awaited === 0) early++;
          expect(++looks).toBeLessThan(5_000);
        }
        expect(chain.awaited).toBe(0);
      },
    ),
    { numRuns: 300 },
  );
  // Otherwise nothing was looked at twice.
  expect(early).toBeGreaterThan(0);
});

test('one claim is followed to the end, when each task does its part only just before somebody looks', async () => {
  const chain = new Chain();
  chain.add(0, true);
  const look = (): Reach[] => feeds.map((_, at) => chain.reach(at));
  const goals = new Goals(
    async () => look(),
    async (topic, ranges) => ranges.some(({ from, below }) => chain.holdsRecords(topic, from, below)),
  );
  for (const at of [0, 1, 2, LAST, LAST]) {
    expect(await goals.areReached(look())).toBe(false);
    chain.takeIn(at);
  }
  expect([await goals.areReached(look()), chain.awaited]).toEqual([true, 0]);
});

test.each([
  [2_000, false, 'so many are waited for without a look'],
  [500, true, 'they may be markers alone, and then are nothing to wait for'],
])('%i offsets: reached %s, as %s', async (below, isReached) => {
  let asked = 0;
  const seen = [{ feed: feeds[0] as Feed, partition: 0, low: 0, from: 0, below }];
  const goals = new Goals(
    async () => seen,
    async () => {
      asked++;
      return false;
    },
  );
  expect([await goals.areReached(seen), asked > 0]).toEqual([isReached, isReached]);
});
