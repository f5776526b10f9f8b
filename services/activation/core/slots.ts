/** A limited number of places, given out in the order in which they were asked for. */
export class Slots {
  #taken = 0;
  readonly #waiting: (() => void)[] = [];

  /** Resolves when fewer than `limit` places are taken; the limit may differ from call to call. */
  async take(limit: number): Promise<void> {
    while (this.#taken >= limit) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    this.#taken++;
  }

  give(): void {
    this.#taken--;
    this.#waiting.shift()?.();
  }
}
