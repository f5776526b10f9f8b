import type { OffsetRange } from '#shared/kafka/holds-records.ts';

/** What a task of a generation reads. */
export interface Feed {
  readonly group: string;
  readonly topic: string;
  readonly what: 'events' | 'claims' | 'rest';
}

/** How far one of them is, of one partition. */
export interface Reach extends OffsetRange {
  readonly feed: Feed;
  /** Where the log starts. */
  readonly low: number;
}

/**
 * What is taken in makes more to be taken in: claims are taken over, linked, and make changes, these make moves, and a move may be passed on.
 * So what waits is a goal so often, each time as it is when the last one was reached.
 */
const GOALS = 5;

/** So few offsets may be markers alone; then it is worth to look whether there are records among them. */
const FEW = 1_000;

/** Tells when all that waited at first has been taken in, and all that came of it, though more comes all the while. */
export class Goals {
  readonly #reaches: () => Promise<readonly Reach[]>;
  readonly #holdsRecords: (topic: string, ranges: readonly OffsetRange[]) => Promise<boolean>;
  /** Where everything ended when it was set, as far as somebody is not there yet; empty: all are. */
  #goal: readonly Reach[] | undefined;
  #which = 1;

  /**
   * @param reaches looks how far all are, one after the other: meanwhile they go on
   * @param holdsRecords whether there are records in these ranges, which may be markers alone
   */
  constructor(
    reaches: () => Promise<readonly Reach[]>,
    holdsRecords: (topic: string, ranges: readonly OffsetRange[]) => Promise<boolean>,
  ) {
    this.#reaches = reaches;
    this.#holdsRecords = holdsRecords;
  }

  /** @param seen how far all are, as somebody has just seen */
  async areReached(seen: readonly Reach[]): Promise<boolean> {
    for (let reaches = seen; await this.#isReached(reaches); reaches = await this.#reaches()) {
      if (this.#which === GOALS) return true;
      this.#which++;
      this.#goal = undefined;
    }
    return false;
  }

  /** Sets the goal, where there is none, and forgets of it what has been reached. */
  async #isReached(reaches: readonly Reach[]): Promise<boolean> {
    const open = (this.#goal ?? reaches).flatMap(({ feed, partition, below }) => {
      const now = reaches.find((reach) => reach.feed === feed && reach.partition === partition);
      return now && now.from < below ? [{ ...now, below }] : [];
    });
    const still: Reach[] = [];
    for (const [{ topic }, ranges] of Map.groupBy(open, ({ feed }) => feed)) {
      const offsets = ranges.reduce((sum, { from, below }) => sum + below - from, 0);
      if (offsets > FEW || (await this.#holdsRecords(topic, ranges))) still.push(...ranges);
    }
    this.#goal = still;
    return still.length === 0;
  }
}
