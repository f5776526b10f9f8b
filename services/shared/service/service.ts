/** Whatever runs. */
export interface Service {
  readonly name: string;
  /** Resolves when it has stopped as asked; rejects when it cannot go on. */
  run(): Promise<void>;
  /** Asks it to finish what it has begun and stop. */
  stop(): Promise<void>;
}
