/** What one request holds. */
export interface Holding {
  /** @returns why not: all requests together would hold too much, or this one alone would, so that to come back would not help */
  take(bytes: number): 'overloaded' | 'too_large' | undefined;
  /** Lets go of all of it. */
  release(): void;
}

/** Bounds the bytes of bodies that all requests together hold, as they came and unpacked, until they are answered. */
export class BytesInHand {
  readonly #most: number;
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** What all of them hold now. */
  get bytes(): number {
    return this.#bytes;
  }

  open(): Holding {
    let held = 0;
    return {
      take: (bytes) => {
        if (held + bytes > this.#most) return 'too_large';
        if (this.#bytes + bytes > this.#most) return 'overloaded';
        this.#bytes += bytes;
        held += bytes;
        return undefined;
      },
      release: () => {
        this.#bytes -= held;
        held = 0;
      },
    };
  }
}
