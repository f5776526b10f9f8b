/**
 * Something about profiles: about all of them, as long as there are not more than so many; else about those that a share of all ids
 * has, which is the same ids for whoever keeps a sample of that share.
 */
export class Sample<T> {
  readonly #most: number;
  readonly #kept = new Map<string, T>();
  #bits = 0;

  constructor(most: number) {
    this.#most = most;
  }

  set(id: string, value: T): void {
    if (!this.#takes(id)) return;
    this.#kept.set(id, value);
    while (this.#kept.size > this.#most && this.#bits < 32) this.narrow(this.#bits + 1);
  }

  delete(id: string): void {
    this.#kept.delete(id);
  }

  /** Keeps at most every 2^bits-th. */
  narrow(bits: number): void {
    if (bits <= this.#bits) return;
    this.#bits = bits;
    for (const id of this.#kept.keys()) if (!this.#takes(id)) this.#kept.delete(id);
  }

  /** Every 2^bits-th is kept. */
  get bits(): number {
    return this.#bits;
  }

  get kept(): ReadonlyMap<string, T> {
    return this.#kept;
  }

  /** Ids are hashes: evenly spread. */
  #takes(id: string): boolean {
    return Number.parseInt(id.slice(0, 8), 16) < 2 ** (32 - this.#bits);
  }
}
