import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TraitCell, TraitCells } from '#schemas/generated/records.ts';
import type { Aggregate } from '#shared/expressions/expression.ts';
import { typeOf } from '#shared/kafka/codec.ts';
import { MemoryState, someMoment } from '#shared/task/memory.ts';
import { Workspace } from '#shared/task/workspace.ts';
import { gathered, type Kept, united } from './core/cells.ts';
import { Places, placeStores } from './places.ts';

const DAY_MS = 86_400_000;
const asked: Aggregate = { aggregate: 'uniqueList', value: 'properties.x', of: {}, within: { days: 90 } };

const cellOf = (from: number, text: string): TraitCell => ({
  from,
  count: 1,
  micros: null,
  extreme: null,
  sighting: null,
  texts: [{ text, count: 1 }],
});
const partOf = (trait: number, day: number, text: string): TraitCells => ({
  trait: `t${trait}`,
  version: 1,
  part: 0,
  aggregate: asked.aggregate,
  cells: [cellOf(day * DAY_MS, text)],
});

/** Many traits, of which the first have most cells, and long texts now and then. */
const came = fc
  .array(
    fc.tuple(
      fc.oneof(fc.nat(40), fc.nat(1)),
      fc.integer({ min: 1, max: 89 }),
      fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom('a', 'b') },
        { weight: 1, arbitrary: fc.constant('x'.repeat(450)) },
      ),
    ),
    { minLength: 1, maxLength: 300 },
  )
  .map((all) => all.map((one) => partOf(...one)));

/** One batch after the other on one state. */
class Partition {
  readonly state = new MemoryState(placeStores);
  batch<T>(now: number, todo: (places: Places, work: Workspace) => T): T {
    const work = new Workspace(placeStores, this.state, { ...someMoment, now });
    const result = todo(new Places(work as never, () => ({ asked, of: { zone: 'UTC' } })), work);
    this.state.apply(work);
    return result;
  }
}

describe('what is kept at a place', () => {
  test('is all that came, in records that stay small, and goes as a whole', () => {
    let apart = 0;
    fc.assert(
      fc.property(came, fc.integer({ min: 1, max: 9 }), (parts, size) => {
        const partition = new Partition();
        let all: Kept = [];
        for (let at = 0; at < parts.length; at += size) {
          const some = gathered(parts.slice(at, at + size));
          all = united(all, some);
          partition.batch(80 * DAY_MS, (places) => places.add('p/h', some));
        }
        for (const part of all)
          expect(partition.batch(80 * DAY_MS, (places) => places.part('p/h', part))).toEqual(part);
        for (const [, held] of partition.state.entries('place'))
          expect(typeOf('PlaceCells').toBuffer(held).length).toBeLessThan(24 * 40 * 400);
        apart += partition.state.entries('cells').length;
        expect(partition.batch(80 * DAY_MS, (places) => places.take('p/h'))).toEqual(all);
        expect([...partition.state.entries('place'), ...partition.state.entries('cells')]).toEqual([]);
      }),
      { numRuns: 100 },
    );
    expect(apart, 'some were too large to stand together').toBeGreaterThan(20);
  });

  test('goes when no window will hold it any more', () => {
    fc.assert(
      fc.property(came, fc.integer({ min: 90, max: 185 }), (parts, today) => {
        const partition = new Partition();
        partition.batch(80 * DAY_MS, (places) => places.add('p/h', gathered(parts)));
        partition.batch(today * DAY_MS, (places) => places.trim('p/h'));
        const first = (today - 89) * DAY_MS;
        const living = gathered(parts).flatMap((part) => {
          const cells = part.cells.filter(({ from }) => from >= first);
          return cells.length === 0 ? [] : [{ ...part, cells }];
        });
        expect(partition.batch(today * DAY_MS, (places) => places.take('p/h'))).toEqual(living);
        if (living.length === 0) expect(partition.state.entries('place')).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  test('is read where an earlier version of the software gave each part a record of its own', () => {
    const partition = new Partition();
    const old = gathered([partOf(1, 1, 'a'), partOf(2, 1, 'b')]);
    partition.batch(DAY_MS, (_, work) => {
      for (const part of old) work.put('cells', `p/h/${part.trait}@1/0`, part);
    });
    const more = [partOf(1, 1, 'c')];
    partition.batch(DAY_MS, (places) => places.add('p/h', more));
    expect(partition.batch(DAY_MS, (places) => places.take('p/h'))).toEqual(united(old, more));
    expect([...partition.state.entries('place'), ...partition.state.entries('cells')]).toEqual([]);
  });
});
