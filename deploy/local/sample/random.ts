/** Numbers in [0, 1), the same for the same seed on every machine. */
export type Random = () => number;

/** Marsaglia's xorshift on 32 bits: enough for a sample, not for secrets. */
export function seededRandom(seed: number): Random {
  // Never zero: from there it would not come away.
  let state = Math.imul(seed, 0x9e3779b1) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return (state - 1) / 0xffffffff;
  };
}

/** A whole number from `least` to `most`. */
export const between = (random: Random, least: number, most: number): number =>
  least + Math.floor(random() * (most - least + 1));

/** One of a list that is not empty. */
export const oneOf = <T>(random: Random, list: readonly [T, ...T[]] | readonly T[]): T =>
  list[Math.floor(random() * list.length)] as T;

/** As many hexadecimal digits as asked for. */
export const hexDigits = (random: Random, count: number): string =>
  Array.from({ length: count }, () => Math.floor(random() * 16).toString(16)).join('');
