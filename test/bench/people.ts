/** What a visitor does next. */
export interface Step {
  readonly person: number;
  /** Some come back with a second device. */
  readonly device: number;
  readonly kind: 'page' | 'track' | 'identify' | 'order';
  /** Whether the visitor has said who they are. */
  readonly known: boolean;
}

/** So many are there at the same time; each leaves after so many events, and another comes. */
const PRESENT = 500;
const EVENTS_EACH = 20;
const LOGS_IN_AT = 6;
const SECOND_DEVICE_AT = 10;
const LOGS_IN_AGAIN_AT = 12;

/**
 * An endless stream of visitors who browse anonymously, log in (two of three), buy, and some of whom go on elsewhere: twenty events
 * of each, near each other in time. The same seed gives the same stream.
 */
export class People {
  readonly #present: { person: number; done: number }[];
  #next: number;
  #random: number;

  /** @param first number of the first person; streams that share no person start far apart */
  constructor(first: number, seed = 1) {
    this.#present = Array.from({ length: PRESENT }, (_, i) => ({ person: first + i, done: i % EVENTS_EACH }));
    this.#next = first + PRESENT;
    this.#random = seed;
  }

  next(): Step {
    const place = this.#draw(PRESENT);
    const visitor = this.#present[place] as { person: number; done: number };
    const { person, done } = visitor;
    visitor.done++;
    if (visitor.done >= EVENTS_EACH) this.#present[place] = { person: this.#next++, done: 0 };
    const logsIn = person % 3 !== 0;
    const device = person % 10 === 1 && done >= SECOND_DEVICE_AT ? 1 : 0;
    const again = device === 1 ? LOGS_IN_AGAIN_AT : LOGS_IN_AT;
    if (logsIn && done === again) return { person, device, kind: 'identify', known: true };
    const known = logsIn && done > again;
    const drawn = this.#draw(100);
    const kind = drawn < 65 ? 'page' : drawn < 90 || !known ? 'track' : 'order';
    return { person, device, kind, known };
  }

  #draw(below: number): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#random / 0x1_0000_0000) * below);
  }
}
