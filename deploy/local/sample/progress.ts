/** One line that is written over on a terminal; elsewhere a line now and then. */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #everyMs: number;
  #written = Number.NEGATIVE_INFINITY;
  #open = false;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.#everyMs = out.isTTY ? 200 : 5_000;
    // A reader that has gone away is no reason to stop.
    out.on('error', () => undefined);
  }

  /** May be called as often as one likes. */
  show(line: string): void {
    const now = performance.now();
    if (now - this.#written < this.#everyMs) return;
    this.#written = now;
    if (this.#out.isTTY) this.#out.write(`\r\x1b[K${line.slice(0, (this.#out.columns || 80) - 1)}`);
    else this.#out.write(`${line}\n`);
    this.#open = this.#out.isTTY;
  }

  /** A line that stays. */
  say(line: string): void {
    this.#out.write(this.#open ? `\r\x1b[K${line}\n` : `${line}\n`);
    this.#open = false;
    this.#written = Number.NEGATIVE_INFINITY;
  }
}
