import { TaskError } from '#shared/task/errors.ts';
import { joined, type Runner } from './runner.ts';

/** A runner among others: lost infrastructure concerns all of them, a contradiction stops this one alone. */
export class Apart {
  readonly #runner: Runner;
  readonly #signals: AbortController;
  #failed: string | undefined;

  /**
   * @param signals ends its attempts and waits
   * @param onLost told of what concerns all
   * @param onFailed told when it has stopped and the others go on
   */
  constructor(
    runner: Runner,
    signals: AbortController,
    onLost: (error: Error) => void,
    onFailed: (error: Error) => void,
  ) {
    this.#runner = runner;
    this.#signals = signals;
    runner.run().catch(async (error: Error) => {
      if (!(error instanceof TaskError) || error.retryable) return onLost(error);
      this.#failed = `${runner.name} has stopped: ${error.message}`;
      onFailed(error);
      signals.abort();
      await runner.stop();
    });
  }

  notReady(): readonly string[] {
    return this.#failed === undefined ? this.#runner.notReady() : [this.#failed];
  }

  async stop(): Promise<void> {
    if (this.#failed !== undefined) return;
    this.#signals.abort();
    await this.#runner.stop();
  }

  /** Stops it while the others go on: not before it has joined its group. */
  async halt(): Promise<void> {
    if (this.#failed !== undefined) return;
    this.#signals.abort();
    await joined(this.#runner);
    await this.#runner.stop();
  }
}
