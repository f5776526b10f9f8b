/** A limited number of places, given out in the order in which they were asked for. */
export class Slots {
  #limit = 0;
  #taken = 0;
  readonly #waiting: (() => void)[] = [];

  /** Resolves with a place. The limit may differ from call to call: the newest counts. */
  take(limit: number): Promise<void> {
    this.#limit = limit;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#giveOut();
    });
  }

  give(): void {
    this.#taken--;
    this.#giveOut();
  }

  #giveOut(): void {
    while (this.#taken < this.#limit) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#taken++;
      next();
    }
  }
}
