/** What one request holds. */
export interface Holding {
  /** @returns false where all requests together would hold too much */
  take(bytes: number): boolean;
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

  open(): Holding {
    let held = 0;
    return {
      take: (bytes) => {
        if (this.#bytes + bytes > this.#most) return false;
        this.#bytes += bytes;
        held += bytes;
        return true;
      },
      release: () => {
        this.#bytes -= held;
        held = 0;
      },
    };
  }
}
