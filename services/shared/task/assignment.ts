/** A member of a consumer group, with the partitions whose state it has on its disk. */
export interface Member {
  readonly id: string;
  readonly holds: readonly number[];
}

/**
 * Which member does which partition number. Every topic of a task follows this one answer, so that partition p of each is
 * with the same member. Even (numbers differ by one at most), the same for any order of members, and a partition stays where
 * its state is as long as that keeps it even.
 */
export function assignPartitions(partitions: number, members: readonly Member[]): Map<string, number[]> {
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
  const assigned = new Map<string, number[]>(sorted.map(({ id }) => [id, []]));
  if (sorted.length === 0) return assigned;
  const least = Math.floor(partitions / sorted.length);
  let extras = partitions % sorted.length;
  const free = new Set(Array.from({ length: partitions }, (_, partition) => partition));
  for (const { id, holds } of sorted) {
    const mine = assigned.get(id) as number[];
    for (const partition of [...holds].sort((a, b) => a - b)) {
      if (!free.has(partition) || mine.length > least) continue;
      if (mine.length === least && extras === 0) continue;
      if (mine.length === least) extras--;
      free.delete(partition);
      mine.push(partition);
    }
  }
  const rest = [...free];
  for (const limit of [least, least + 1]) {
    for (const { id } of sorted) {
      const mine = assigned.get(id) as number[];
      while (mine.length < limit && rest.length > 0) mine.push(rest.shift() as number);
    }
  }
  for (const mine of assigned.values()) mine.sort((a, b) => a - b);
  return assigned;
}
