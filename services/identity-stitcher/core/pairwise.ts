/** How well clusters match the truth, over all pairs of items. */
export interface Pairwise {
  readonly precision: number;
  readonly recall: number;
}

/** @param items cluster and true class of each item */
export function pairwise(items: Iterable<readonly [cluster: string, truth: string]>): Pairwise {
  const both = new Map<string, number>();
  const clusters = new Map<string, number>();
  const truths = new Map<string, number>();
  const count = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const [cluster, truth] of items) {
    count(both, `${cluster}\0${truth}`);
    count(clusters, cluster);
    count(truths, truth);
  }
  const pairs = (counts: Map<string, number>): number =>
    [...counts.values()].reduce((sum, size) => sum + (size * (size - 1)) / 2, 0);
  return { precision: pairs(both) / pairs(clusters), recall: pairs(both) / pairs(truths) };
}
