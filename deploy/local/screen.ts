import type { Platform, UnitView } from './platform.ts';
import { changeLine, table } from './table.ts';

/**
 * The one view of the platform. On a terminal: what is said, and below it a table that is redrawn. Elsewhere: a line for
 * each change of state.
 */
export class Screen {
  readonly #out: NodeJS.WriteStream;
  readonly #platform: Platform;
  readonly #isLive: boolean;
  #drawn = 0;
  #paused = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #forget: () => void;

  constructor(out: NodeJS.WriteStream, platform: Platform) {
    this.#out = out;
    this.#platform = platform;
    this.#isLive = out.isTTY === true;
    // A reader that has gone away is no reason to stop.
    out.on('error', () => undefined);
    this.#forget = platform.onChange((unit) => this.#changed(unit));
    if (this.#isLive) this.#timer = setInterval(() => this.#redraw(), 1_000);
  }

  say(text: string): void {
    this.#erase();
    this.#out.write(`${text}\n`);
    this.#redraw();
  }

  /** While somebody else writes to the terminal: the table stands still, above. */
  pause(): void {
    this.#redraw();
    this.#drawn = 0;
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#redraw();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#forget();
    this.#redraw();
    this.#drawn = 0;
    this.#paused = true;
  }

  #changed(unit: UnitView): void {
    if (this.#isLive) this.#redraw();
    else this.#out.write(`${changeLine(unit)}\n`);
  }

  #redraw(): void {
    if (!this.#isLive || this.#paused) return;
    this.#erase();
    const units = this.#platform.units();
    if (units.length === 0) return;
    const lines = table(units, Date.now(), this.#out.columns || 80, process.env.NO_COLOR === undefined);
    this.#out.write(`${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }

  #erase(): void {
    // A line that somebody else left unfinished goes as well.
    if (this.#isLive) this.#out.write(`\r${this.#drawn > 0 ? `\x1b[${this.#drawn}A` : ''}\x1b[0J`);
    this.#drawn = 0;
  }
}
