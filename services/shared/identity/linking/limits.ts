import type { Rules } from './rules.ts';

/** How many identifiers of each type groups hold, and whether two of them may become one. */
export class Limits {
  readonly #types: readonly string[];
  readonly #limits: readonly number[];
  readonly #within: readonly number[];
  readonly #mostIdentifiers: number;
  /** Of each group: identifiers by type, and of all types. */
  readonly #counts: Int32Array;
  /** Of each group, by type with a window: when they were first received, sorted. */
  readonly #times: (readonly number[] | undefined)[];

  /** One group of each identifier. @param identifiers type and first received time, milliseconds */
  constructor(identifiers: readonly { readonly type: string; readonly receivedAt: number }[], rules: Rules) {
    const types = [...new Set(identifiers.map(({ type }) => type))].sort(
      (a, b) => rules.rank(a) - rules.rank(b) || (a < b ? -1 : 1),
    );
    this.#types = types;
    this.#limits = types.map((type) => rules.limit(type));
    this.#within = types.map((type) => rules.within(type));
    this.#mostIdentifiers = rules.mostIdentifiers;
    const width = types.length + 1;
    this.#counts = new Int32Array(identifiers.length * width);
    this.#times = this.#within.some(Number.isFinite) ? new Array(identifiers.length * types.length) : [];
    identifiers.forEach(({ type, receivedAt }, group) => {
      const t = types.indexOf(type);
      this.#counts[group * width + t] = 1;
      this.#counts[group * width + types.length] = 1;
      if (Number.isFinite(this.#within[t])) this.#times[group * types.length + t] = [receivedAt];
    });
  }

  /** The limit that the two groups together would break. */
  broken(a: number, b: number): string | undefined {
    const { length } = this.#types;
    for (let t = 0; t < length; t++) {
      if (this.#sum(a, b, t) <= (this.#limits[t] as number)) continue;
      if (!Number.isFinite(this.#within[t]) || this.#isTooManyWithin(a, b, t)) return `limit:${this.#types[t]}`;
    }
    return this.#sum(a, b, length) > this.#mostIdentifiers ? 'limit:identifiers' : undefined;
  }

  /** The second group becomes part of the first. */
  unite(a: number, b: number): void {
    const { length } = this.#types;
    for (let t = 0; t <= length; t++) this.#counts[a * (length + 1) + t] = this.#sum(a, b, t);
    if (this.#times.length === 0) return;
    for (let t = 0; t < length; t++) {
      const other = this.#times[b * length + t];
      if (other) this.#times[a * length + t] = sortedTogether(this.#times[a * length + t], other);
      this.#times[b * length + t] = undefined;
    }
  }

  #sum(a: number, b: number, t: number): number {
    const width = this.#types.length + 1;
    return (this.#counts[a * width + t] as number) + (this.#counts[b * width + t] as number);
  }

  #isTooManyWithin(a: number, b: number, t: number): boolean {
    const { length } = this.#types;
    const times = sortedTogether(this.#times[a * length + t], this.#times[b * length + t]);
    return isMoreWithin(times, this.#limits[t] as number, this.#within[t] as number);
  }
}

/** Whether more than `most` of these sorted times lie within less than `span` milliseconds. */
export function isMoreWithin(times: readonly number[], most: number, span: number): boolean {
  for (let i = most; i < times.length; i++) if ((times[i] as number) - (times[i - most] as number) < span) return true;
  return false;
}

const sortedTogether = (a: readonly number[] = [], b: readonly number[] = []): readonly number[] =>
  [...a, ...b].sort((x, y) => x - y);
