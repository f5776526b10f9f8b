/** What is judged: an event or an identifier, the profile that it was put into and the person whose it is. */
export interface Item {
  readonly cluster: string;
  readonly truth: string;
}

export interface Share {
  /** Of what was put together, how much belongs together; 1 where nothing was put together. */
  readonly precision: number;
  /** Of what belongs together, how much was put together; 1 where nothing belongs together. */
  readonly recall: number;
}

export interface Quality {
  /** For each item, of the items of its cluster the share of its truth, and the other way round; the mean over items. */
  readonly bCubed: Share;
  /** Over pairs of different items: large clusters count with their square. */
  readonly pairs: Share;
  readonly clusters: number;
  /** Items of the largest cluster. */
  readonly largest: number;
}

/** How well a grouping matches the truth. Order of items does not matter. */
export function qualityOf(items: Iterable<Item>): Quality {
  const clusters = new Map<string, number>();
  const truths = new Map<string, number>();
  const both = new Map<string, Map<string, number>>();
  let count = 0;
  for (const { cluster, truth } of items) {
    count++;
    add(clusters, cluster);
    add(truths, truth);
    const of = both.get(cluster) ?? new Map<string, number>();
    both.set(cluster, of);
    add(of, truth);
  }
  let precise = 0;
  let recalled = 0;
  let together = 0;
  for (const [cluster, of] of both) {
    for (const [truth, shared] of of) {
      precise += shared ** 2 / (clusters.get(cluster) as number);
      recalled += shared ** 2 / (truths.get(truth) as number);
      together += pairsOf(shared);
    }
  }
  const pairsIn = (sizes: ReadonlyMap<string, number>): number => {
    let sum = 0;
    for (const size of sizes.values()) sum += pairsOf(size);
    return sum;
  };
  let largest = 0;
  for (const size of clusters.values()) largest = Math.max(largest, size);
  return {
    bCubed: { precision: share(precise, count), recall: share(recalled, count) },
    pairs: { precision: share(together, pairsIn(clusters)), recall: share(together, pairsIn(truths)) },
    clusters: clusters.size,
    largest,
  };
}

const add = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
const pairsOf = (size: number): number => (size * (size - 1)) / 2;
const share = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole);
