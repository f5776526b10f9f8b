/*
 * What tributaries are made of: arrays sorted by distinct keys, with limits that cut so that cutting commutes with folding.
 */

/** The empty array that all share, so that nothing compares equal to nothing by reference. */
export const none: readonly never[] = Object.freeze([]);

/** The union of two arrays sorted by distinct keys; `join` of what both hold. Gives back `a` or `b` when it is the union. */
export function union<T, K extends string | number>(
  a: readonly T[],
  b: readonly T[],
  keyOf: (item: T) => K,
  join: (a: T, b: T) => T,
): readonly T[] {
  if (b.length === 0) return a;
  if (a.length === 0) return b;
  const result: T[] = [];
  let likeA = true;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const x = a[i] as T;
    const y = b[j] as T;
    const keyX = keyOf(x);
    const keyY = keyOf(y);
    if (keyX === keyY) {
      const joined = join(x, y);
      if (joined !== x) likeA = false;
      result.push(joined);
      i++;
      j++;
    } else if (keyX < keyY) {
      result.push(x);
      i++;
    } else {
      likeA = false;
      result.push(y);
      j++;
    }
  }
  while (i < a.length) result.push(a[i++] as T);
  if (j < b.length) likeA = false;
  while (j < b.length) result.push(b[j++] as T);
  return likeA ? a : result;
}

/** The first of a sorted array. A key once cut stays cut, since keys only get more: so what is left of the others is complete. */
export const cut = <T>(sorted: readonly T[], limit: number): readonly T[] =>
  sorted.length > limit ? sorted.slice(0, limit) : sorted;

/**
 * The newest of a sorted array, still in its order; at equal times those with the larger key. Only for items that stand for the newest
 * event of their key and for nothing before it: then whatever is newer than one that was cut stays newer.
 */
export function newest<T extends { readonly timestamp: number }>(sorted: readonly T[], limit: number): readonly T[] {
  if (sorted.length <= limit) return sorted;
  const kept = new Set([...sorted.keys()].sort((i, j) => age(sorted, i, j)).slice(0, limit));
  return sorted.filter((_, i) => kept.has(i));
}

const age = (sorted: readonly { readonly timestamp: number }[], i: number, j: number): number =>
  (sorted[j] as { timestamp: number }).timestamp - (sorted[i] as { timestamp: number }).timestamp || j - i;
