const WINDOW_MS = 1_000;

/** So many a second of each kind: of what goes beyond, it is only counted. */
export class Allowance {
  readonly #perSecond: number;
  readonly #windows = new Map<string, { readonly since: number; used: number }>();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** How many of `wanted` may be had. @param now milliseconds */
  take(kind: string, wanted: number, now: number): number {
    let window = this.#windows.get(kind);
    if (!window || now - window.since >= WINDOW_MS || now < window.since) {
      window = { since: now, used: 0 };
      this.#windows.set(kind, window);
    }
    const had = Math.min(wanted, this.#perSecond - window.used);
    window.used += had;
    return had;
  }
}
