/** Lets `places` holders in at a time and `waiting` more wait, first come, first served. */
export class Semaphore {
  #free: number;
  readonly #mostWaiting: number;
  readonly #queue: (() => void)[] = [];

  constructor(places: number, mostWaiting: number) {
    this.#free = places;
    this.#mostWaiting = mostWaiting;
  }

  /** @returns false at once when too many wait already. Who got true must `leave`. */
  async enter(): Promise<boolean> {
    if (this.#free > 0) {
      this.#free--;
      return true;
    }
    if (this.#queue.length >= this.#mostWaiting) return false;
    await new Promise<void>((resolve) => this.#queue.push(resolve));
    return true;
  }

  leave(): void {
    const next = this.#queue.shift();
    if (next) next();
    else this.#free++;
  }
}
