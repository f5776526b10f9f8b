import { setTimeout as sleep } from 'node:timers/promises';

/** The one place that owns waiting between tries. Doubles from `initialMs` to `maxMs`; `succeeded` starts over. */
export class BackOff {
  #failures = 0;
  #since: number | undefined;
  readonly #initialMs: number;
  readonly #maxMs: number;

  constructor(initialMs: number, maxMs: number) {
    this.#initialMs = initialMs;
    this.#maxMs = maxMs;
  }

  /** How long it has been failing without a success, milliseconds. */
  get failingMs(): number {
    return this.#since === undefined ? 0 : performance.now() - this.#since;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#since = undefined;
  }

  /** Waits before the next try; returns at once, without throwing, when the signal aborts. */
  async failed(signal?: AbortSignal): Promise<void> {
    this.#since ??= performance.now();
    const wait = Math.min(this.#maxMs, this.#initialMs * 2 ** this.#failures++);
    await sleep(wait, undefined, signal ? { signal } : {}).catch(() => undefined);
  }
}
