import type { Speech } from '../output.ts';
import {
  isAllRead,
  type Phase,
  paceOf,
  phaseOf,
  progressLine,
  type Since,
  type Standing,
  totalOf,
} from './progress.ts';

const LINE_EVERY_MS = 10_000;

/**
 * Tells of a replay while it runs: a line that changes on a terminal, else one now and then and with each phase; for a machine lines of JSON
 * on the error output.
 */
export class Report {
  readonly #name: string;
  readonly #speech: Speech;
  /** When reading of history was first seen, and how far it was. */
  #first: { readonly rows: number; readonly at: number } | undefined;
  /** How long all of it took, seconds. */
  #took: number | undefined;
  #phase: Phase | undefined;
  #shownAt = Number.NEGATIVE_INFINITY;
  #isDrawn = false;

  constructor(generation: number, speech: Speech) {
    this.#name = `generation ${generation}`;
    this.#speech = speech;
  }

  show(standing: Standing): void {
    const now = performance.now();
    const phase = phaseOf(standing);
    if (phase === 'reading') this.#first ??= { rows: totalOf(standing).rows, at: now };
    const since = this.#since(standing, now);
    if (isAllRead(standing)) this.#took ??= since.seconds;
    const { stderr } = process;
    if (this.#speech.json) stderr.write(`${JSON.stringify({ phase, ...standing, ...paceOf(standing, since) })}\n`);
    else if (stderr.isTTY) {
      const line = `${this.#name}: ${progressLine(standing, since)}`;
      stderr.write(`\r${line.slice(0, (stderr.columns || 80) - 1)}\u001b[K`);
      this.#isDrawn = true;
    } else if (phase !== this.#phase || now - this.#shownAt >= LINE_EVERY_MS) {
      stderr.write(`${this.#name}: ${progressLine(standing, since)}\n`);
      this.#shownAt = now;
    }
    this.#phase = phase;
  }

  /** Events that were read as far as this process saw it, and in how many seconds. */
  pace(standing: Standing): { readonly read: number; readonly seconds: number } {
    return { read: this.#first ? totalOf(standing).rows - this.#first.rows : 0, seconds: this.#took ?? 0 };
  }

  /** Something that happened. */
  tell(text: string, json: Readonly<Record<string, unknown>>): void {
    if (this.#speech.json) process.stderr.write(`${JSON.stringify(json)}\n`);
    else {
      this.clear();
      this.#speech.say(text);
    }
  }

  clear(): void {
    if (this.#isDrawn) process.stderr.write('\r\u001b[K');
    this.#isDrawn = false;
  }

  #since(standing: Standing, now: number): Since {
    return this.#first
      ? { rows: this.#first.rows, seconds: (now - this.#first.at) / 1_000 }
      : { rows: totalOf(standing).rows, seconds: 0 };
  }
}
