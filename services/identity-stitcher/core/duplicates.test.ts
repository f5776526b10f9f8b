import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Seen } from '#schemas/generated/records.ts';
import { MemoryState } from '#shared/task/memory.ts';
import type { Stores } from '#shared/task/task.ts';
import { Workspace } from '#shared/task/workspace.ts';
import { batchSizes, inBatches } from './arbitrary.fixture.ts';
import { DuplicateWindow, WINDOW } from './duplicates.ts';
import { messageIdHash } from './message-id.ts';
import { HOUR, idsOfChunk } from './seen-chunk.ts';

const stores = { seen: { record: 'Seen', index: (value: Seen) => idsOfChunk(value) } } as const satisfies Stores;

interface Arrival {
  readonly id: string;
  readonly receivedAt: number;
}

const windowOver = (work: Workspace): DuplicateWindow =>
  new DuplicateWindow({
    find: (id) => work.find('seen', id),
    get: (key) => work.get('seen', key),
    first: (after) => work.first('seen', after),
    put: (key, chunk) => work.put('seen', key, chunk),
    remove: (key) => work.remove('seen', key),
  });

function takeAll(arrivals: readonly Arrival[], sizes: readonly number[]) {
  const state = new MemoryState(stores as Stores);
  let offset = 0;
  const duplicates = inBatches(arrivals, sizes).flatMap((batch) => {
    const work = new Workspace(stores as Stores, state);
    const window = windowOver(work);
    const verdicts = batch.map(({ id, receivedAt }) => window.take(messageIdHash('web', id), receivedAt, offset++));
    window.finish();
    state.apply(work);
    return verdicts;
  });
  return { duplicates, chunks: state.entries('seen') as [string, Seen][] };
}

/** As it is promised: some earlier record in the log with the same id was received less than a day apart. */
const promised = (arrivals: readonly Arrival[]): boolean[] =>
  arrivals.map(({ id, receivedAt }, n) =>
    arrivals.slice(0, n).some((before) => before.id === id && Math.abs(receivedAt - before.receivedAt) < WINDOW),
  );

/** Time goes on by up to nine hours between arrivals, each of which is up to half an hour off. */
const arrivals = fc
  .array(
    fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd'),
      pause: fc.oneof(fc.nat({ max: 60_000 }), fc.nat({ max: 9 * HOUR }), fc.constant(WINDOW / 4)),
      off: fc.oneof(fc.constant(0), fc.integer({ min: -HOUR / 2, max: HOUR / 2 })),
    }),
    { maxLength: 60, size: 'max' },
  )
  .map((drafts) => {
    let now = 1_800_000_000_000;
    return drafts.map(({ id, pause, off }): Arrival => {
      now += pause;
      return { id, receivedAt: now + off };
    });
  });

test('duplicates are found exactly, however the log is cut into batches', () => {
  fc.assert(
    fc.property(arrivals, batchSizes, (log, sizes) => {
      expect(takeAll(log, sizes).duplicates).toEqual(promised(log));
    }),
    { numRuns: 500 },
  );
});

test('exactly a day later is no duplicate, a millisecond less is', () => {
  const at = (receivedAt: number): Arrival => ({ id: 'a', receivedAt });
  expect(takeAll([at(0), at(WINDOW)], [1]).duplicates).toEqual([false, false]);
  expect(takeAll([at(0), at(WINDOW - 1)], [1]).duplicates).toEqual([false, true]);
});

test('what is past the window is forgotten, also when an id came back meanwhile', () => {
  const hours = Array.from({ length: 200 }, (_, n) => ({ id: n % 5 === 0 ? 'again' : `m${n}`, receivedAt: n * HOUR }));
  const { chunks } = takeAll(hours, [1]);
  expect(chunks.length).toBeLessThanOrEqual(27);
  expect(promised(hours)).toEqual(takeAll(hours, [1]).duplicates);
});

test('to forget many chunks each is read once', () => {
  let reads = 0;
  class Counting extends MemoryState {
    override after(store: string, key: string | undefined) {
      reads++;
      return super.after(store, key);
    }
  }
  const state = new Counting(stores as Stores);
  const take = (offset: number, receivedAt: number): void => {
    const work = new Workspace(stores as Stores, state);
    const window = windowOver(work);
    window.take(messageIdHash('web', `m${offset}`), receivedAt, offset);
    window.finish();
    state.apply(work);
  };
  for (let n = 0; n < 200; n++) take(n, n);
  reads = 0;
  take(200, 3 * WINDOW);
  expect(state.entries('seen')).toHaveLength(1);
  expect(reads).toBeLessThanOrEqual(201);
});

test('a large batch is kept in chunks of bounded size', () => {
  const many = Array.from({ length: 10_000 }, (_, n) => ({ id: `m${n}`, receivedAt: n }));
  const { chunks } = takeAll(many, [10_000]);
  expect(chunks.map(([, chunk]) => idsOfChunk(chunk).length)).toEqual([4096, 4096, 1808]);
});
