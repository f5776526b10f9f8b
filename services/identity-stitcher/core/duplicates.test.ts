import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Seen } from '#schemas/generated/records.ts';
import { batchSizes, inBatches } from '#shared/identity/linking/arbitrary.fixture.ts';
import { MemoryState, someMoment } from '#shared/task/memory.ts';
import type { Stores } from '#shared/task/task.ts';
import { Workspace } from '#shared/task/workspace.ts';
import { Duplicates } from './duplicates.ts';
import { messageIdHash } from './message-id.ts';
import { idsOfChunk } from './seen-chunk.ts';

const stores = { seen: { record: 'Seen', members: (value: Seen) => idsOfChunk(value) } } as const satisfies Stores;
const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;

interface Arrival {
  readonly id: string;
  readonly receivedAt: number;
}

function takeAll(arrivals: readonly Arrival[], sizes: readonly number[], state = new MemoryState(stores as Stores)) {
  let offset = 0;
  const verdicts = inBatches(arrivals, sizes).flatMap((batch) => {
    const work = new Workspace(stores as Stores, state, someMoment);
    const duplicates = new Duplicates({
      holds: (id) => work.holds('seen', id),
      get: (key) => work.get('seen', key),
      put: (key, chunk) => work.put('seen', key, chunk),
    });
    const taken = batch.map(({ id, receivedAt }) => duplicates.take(messageIdHash('web', id), receivedAt, offset++));
    duplicates.finish();
    state.apply(work);
    return taken;
  });
  return { verdicts, chunks: state.entries('seen') as [string, Seen][] };
}

/** As it is promised: an earlier record in the log has the same id. */
const promised = (arrivals: readonly Arrival[]): boolean[] =>
  arrivals.map(({ id }, n) => arrivals.slice(0, n).some((before) => before.id === id));

/** Between arrivals nothing, a moment, hours or years; received times are up to half an hour off. */
const arrivals = fc
  .array(
    fc.record({
      id: fc.oneof(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat({ max: 100 }).map(String)),
      pause: fc.oneof(fc.nat({ max: 60_000 }), fc.nat({ max: 30 * HOUR }), fc.constant(24 * HOUR), fc.nat(3 * YEAR)),
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

test('of each id the first in the log counts, after however long, however the log is cut into batches', () => {
  fc.assert(
    fc.property(arrivals, batchSizes, (log, sizes) => {
      expect(takeAll(log, sizes).verdicts).toEqual(promised(log));
    }),
    { numRuns: 500 },
  );
});

test('what is kept does not depend on the batches, and is each id once', () => {
  fc.assert(
    fc.property(arrivals, batchSizes, batchSizes, (log, sizes, otherSizes) => {
      const { chunks } = takeAll(log, sizes);
      expect(takeAll(log, otherSizes).chunks).toEqual(chunks);
      const ids = chunks.flatMap(([, chunk]) => idsOfChunk(chunk));
      expect(ids.sort()).toEqual([...new Set(log.map(({ id }) => messageIdHash('web', id)))].sort());
    }),
  );
});

test('events that come one by one share chunks', () => {
  const log = Array.from({ length: 1_000 }, (_, n) => ({ id: `m${n}`, receivedAt: n }));
  expect(takeAll(log, [1]).chunks.map(([, chunk]) => idsOfChunk(chunk).length)).toEqual([...Array(31).fill(32), 8]);
});

test('what an earlier version kept, a chunk of a whole batch and hour, goes on counting', () => {
  const state = new MemoryState(stores as Stores);
  const [a, b] = ['a', 'b'].map((id) => messageIdHash('web', id)) as [string, string];
  const before = { bucket: 0, ids: Buffer.from(`${a}00000005${b}00000006`, 'hex') };
  state.apply({ changes: new Map([['seen', new Map([[`00000000/${'0'.repeat(16)}`, before]])]]) } as never);
  const log = ['a', 'c', 'b', 'c'].map((id) => ({ id, receivedAt: 7 }));
  const { verdicts, chunks } = takeAll(log, [1], state);
  expect(verdicts).toEqual([true, false, true, true]);
  expect(chunks.map(([, chunk]) => idsOfChunk(chunk))).toEqual([[a, b, messageIdHash('web', 'c')]]);
});
