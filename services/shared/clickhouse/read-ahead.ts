import type { LoggedEvent } from './event-log.ts';

/** Reads one of so many slices of the events below these offsets, some events at a time. */
export type ReadSlice = (
  below: readonly number[],
  slice: number,
  slices: number,
) => AsyncIterable<readonly LoggedEvent[]>;

/**
 * Events of one slice, where nothing bounds them. ClickHouse reads 8,192 rows of each part at least, and of most of these nothing is wanted
 * where slices are small; of large ones much is held, and done again after a failure.
 */
export const mostAtOnce = 80_000;

/**
 * Has the next slice looked for while the last one is worked on. Of that its first events are held, and a connection is kept: it is for those who ask
 * for slice after slice without a pause.
 */
export function readingAhead(read: ReadSlice): ReadSlice {
  let ahead: Begun | undefined;
  return async function* (below, slice, slices) {
    const name = nameOf(below, slice, slices);
    if (ahead && ahead.name !== name) await ahead.letGo();
    const own = ahead?.name === name ? ahead : begin(read(below, slice, slices), name);
    ahead = undefined;
    try {
      yield* own.events();
    } finally {
      await own.letGo();
    }
    const next = slice + 1;
    if (next < slices) ahead = begin(read(below, next, slices), nameOf(below, next, slices));
  };
}

interface Begun {
  readonly name: string;
  events(): AsyncGenerator<readonly LoggedEvent[]>;
  letGo(): Promise<void>;
}

function begin(slice: AsyncIterable<readonly LoggedEvent[]>, name: string): Begun {
  const iterator = slice[Symbol.asyncIterator]();
  const first = iterator.next();
  // Whoever asks for it hears of it.
  first.catch(() => undefined);
  return {
    name,
    async *events() {
      for (let one = await first; !one.done; one = await iterator.next()) yield one.value;
    },
    async letGo() {
      await iterator.return?.().catch(() => undefined);
    },
  };
}

const nameOf = (below: readonly number[], slice: number, slices: number): string =>
  `${slice}/${slices} below ${below.join()}`;
