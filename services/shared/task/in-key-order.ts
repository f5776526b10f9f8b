/** Where a key is, or would be, among sorted ones. */
export function placeOf(sorted: readonly string[], key: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What is stored, as changes make it: those win, and undefined removes. Both come in the order of their keys, and so does this. */
export function* changedBy(
  changes: Iterable<readonly [key: string, value: unknown]>,
  stored: Iterable<[key: string, value: unknown]>,
): Generator<[key: string, value: unknown]> {
  const changed = changes[Symbol.iterator]();
  let next = changed.next();
  for (const entry of stored) {
    let isChanged = false;
    for (; !next.done && next.value[0] <= entry[0]; next = changed.next()) {
      const [key, value] = next.value;
      if (key === entry[0]) isChanged = true;
      if (value !== undefined) yield [key, value];
    }
    if (!isChanged) yield entry;
  }
  for (; !next.done; next = changed.next()) {
    const [key, value] = next.value;
    if (value !== undefined) yield [key, value];
  }
}
